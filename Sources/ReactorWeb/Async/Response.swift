public import ConnectionHandling
public import HTTPTypes
public import ReactorHTTP

/// An answer as an `async` handler returns it.
public struct Response: Sendable, ResponseConvertible {
    public var status: HTTPStatus
    /// Without those that frame messages and manage connections: they are the server's.
    public var fields: HTTPFields
    public var body: ResponseBody

    public init(_ status: HTTPStatus = .ok, fields: HTTPFields = [:], body: ResponseBody = .empty) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    public init(_ status: HTTPStatus = .ok, contentType: String, _ body: ResponseBody) {
        self.init(status, fields: [.contentType: contentType], body: body)
    }

    public func response(to request: Request) -> Response { self }
}

/// The body of a ``Response``.
public struct ResponseBody: Sendable {
    struct Stream: Sendable {
        let length: Int?
        let write: @Sendable (inout BodyWriter) async throws -> Void
    }

    enum Kind: Sendable {
        case bytes([UInt8])
        case file(OpenFile, Range<Int>)
        case stream(Stream)
    }

    let kind: Kind

    public static let empty = ResponseBody(kind: .bytes([]))
    public static func bytes(_ bytes: [UInt8]) -> ResponseBody { ResponseBody(kind: .bytes(bytes)) }
    public static func text(_ text: String) -> ResponseBody { ResponseBody(kind: .bytes(Array(text.utf8))) }

    /// Bytes of a file, sent from the kernel's cache.
    public static func file(_ file: OpenFile, _ range: Range<Int>) -> ResponseBody { ResponseBody(kind: .file(file, range)) }

    /// A body that `write` writes piece by piece, no faster than the client takes it. If it throws, the connection is cut off:
    /// what is written must not look whole. To HEAD it is not called.
    ///
    /// - Parameter length: of the whole body, nil if it is not known.
    public static func stream(
        length: Int? = nil, _ write: @escaping @Sendable (_ body: inout BodyWriter) async throws -> Void
    ) -> ResponseBody { ResponseBody(kind: .stream(Stream(length: length, write: write))) }
}

/// Writes a body while it is being made: see ``ResponseBody/stream(length:_:)``.
public struct BodyWriter: Sendable {
    /// What was written is not what was said.
    public struct LengthMismatch: Error { public init() {} }

    private let exchange: AsyncExchange
    private var remaining: Int?
    let isHEAD: Bool
    /// Sent behind the body, where its framing has a place for them: see ``ReactorHTTP/ResponseWriter/end(trailers:)``.
    public var trailers = HTTPFields()

    init(exchange: AsyncExchange, length: Int?, isHEAD: Bool) {
        self.exchange = exchange
        self.isHEAD = isHEAD
        remaining = length
    }

    /// Writes the body's next bytes. Returns when there is room for more.
    ///
    /// - Throws: `CancellationError` if the client is gone, ``LengthMismatch`` past the length that was given.
    public mutating func write(_ bytes: [UInt8]) async throws {
        if let remaining {
            guard bytes.count <= remaining else { throw LengthMismatch() }
            self.remaining = remaining - bytes.count
        }
        _ = try await exchange.ask(.write(bytes))
    }

    public mutating func write(_ text: String) async throws { try await write(Array(text.utf8)) }

    func checkEnd() throws { if let remaining, remaining > 0, !isHEAD { throw LengthMismatch() } }
}
