package import HTTPTypes
import ReactorWire
import Synchronization

/// A copy of a request that outlives the call it came with: its bytes and where its parts stand in them. What is asked of
/// it is read from there, so that a request costs no more than it is asked.
package final class OwnedRequest: Sendable {
    private let bytes: [UInt8]
    private let positions: [FieldPosition]
    private let layout: RequestLayout
    private let parameterNames: [String]
    private let parameters: [PathParameter]
    private let made = Mutex<HTTPRequest?>(nil)

    package init(_ request: borrowing RequestView) {
        bytes = request.bytes.array
        positions = request.positions.withUnsafeBufferPointer { Array($0) }
        layout = request.layout
        parameterNames = request.parameterNames.withUnsafeBufferPointer { Array($0) }
        parameters = request.parameters.withUnsafeBufferPointer { Array($0) }
    }

    /// Lends the request.
    package func withView<Result>(_ body: (borrowing RequestView) throws -> Result) rethrows -> Result {
        let (bytes, positions, names, parameters) = (bytes, positions, parameterNames, parameters)
        let view = RequestView(
            bytes: bytes.span.bytes, positions: positions.span, layout: layout, names: names.span,
            parameters: parameters.span)
        return try body(view)
    }

    package var method: HTTPMethod { layout.method }

    /// Made when it is first asked for.
    package var head: HTTPRequest {
        made.withLock { made in
            if let made { return made }
            let head = withView { $0.head }
            made = head
            return head
        }
    }

    package var body: ArraySlice<UInt8> { bytes[layout.headLength...] }
}

extension RequestView {
    @_lifetime(copy bytes, copy positions, copy names, copy parameters)
    fileprivate init(
        bytes: RawSpan, positions: Span<FieldPosition>, layout: RequestLayout, names: Span<String>,
        parameters: Span<PathParameter>
    ) {
        self.bytes = bytes
        self.positions = positions
        self.layout = layout
        parameterNames = names
        self.parameters = parameters
    }
}
