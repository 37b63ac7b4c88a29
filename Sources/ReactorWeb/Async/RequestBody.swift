public import HTTPTypes
import ReactorHTTP
import Synchronization

/// A request's body, for an `async` handler: pieces as they arrive, or one piece where the route has it delivered whole.
/// The client is not read from faster than pieces are asked for.
///
/// ```swift
/// router.put("/files/{name}", .streamed(limit: 1 << 30)) { request in
///     for try await piece in request.body { … }
///     return HTTPStatus.noContent
/// }
/// ```
public struct RequestBody: AsyncSequence, Sendable {
    public typealias Element = [UInt8]

    /// By reference, so that a body that was read stays read.
    private final class Source: Sendable {
        struct State {
            var whole: [UInt8]?
            var exchange: AsyncExchange?
            var trailers = HTTPFields()
        }
        let state: Mutex<State>
        init(_ state: State) { self.state = Mutex(state) }
    }
    /// Nil for no body.
    private let source: Source?

    init(whole: ArraySlice<UInt8>) { source = whole.isEmpty ? nil : Source(Source.State(whole: Array(whole))) }
    init(from exchange: AsyncExchange) { source = Source(Source.State(exchange: exchange)) }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let body: RequestBody
        public mutating func next() async throws -> [UInt8]? { try await body.next() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(body: self) }

    private func next() async throws -> [UInt8]? {
        guard let source else { return nil }
        let (whole, exchange) = source.state.withLock { ($0.whole.take(), $0.exchange) }
        if let whole { return whole }
        guard let exchange else { return nil }
        switch try await exchange.ask(.body) {
        case .body(let piece): return piece
        case .bodyEnded(let trailers):
            source.state.withLock { $0.exchange = nil; $0.trailers = trailers }
            return nil
        case .done: return nil
        }
    }

    /// All that is left of it in one.
    ///
    /// - Throws: ``HTTPError`` with 413 if that is more than `limit` bytes.
    public func collect(upTo limit: Int) async throws -> [UInt8] {
        var all: [UInt8] = []
        while let piece = try await next() {
            guard piece.count <= limit - all.count else { throw HTTPError(.contentTooLarge) }
            if all.isEmpty { all = piece } else { all += piece }
        }
        return all
    }

    /// The fields behind a streamed body, once it was read to its end.
    public var trailers: HTTPFields { source?.state.withLock { $0.trailers } ?? [:] }
}
