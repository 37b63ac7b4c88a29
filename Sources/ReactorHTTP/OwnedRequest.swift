package import HTTPTypes
import ReactorWire
import Synchronization

/// A copy of a request that outlives the call it came with: its bytes and where its parts stand in them. What is asked of
/// it is read from there, so that a request costs no more than it is asked.
package final class OwnedRequest: Sendable {
    private let bytes: [UInt8]
    private let positions: [FieldPosition]
    private let target: RequestTarget
    private let host: Range<Int>?
    private let nameRange: Range<Int>
    private let headLength: Int
    package let method: HTTPMethod
    private let minorVersion: UInt8
    private let parameterNames: [String]?
    private let parameters: [PathParameter]
    private let made = Mutex<HTTPRequest?>(nil)

    package init(_ request: borrowing RequestView) {
        bytes = request.bytes.array
        positions = request.positions.withUnsafeBufferPointer { Array($0) }
        target = request.target
        host = request.host
        nameRange = request.nameRange
        headLength = request.headLength
        method = request.method
        minorVersion = request.minorVersion
        parameterNames = request.parameterNames
        parameters = request.parameters.withUnsafeBufferPointer { Array($0) }
    }

    /// Lends the request.
    package func withView<Result>(_ body: (borrowing RequestView) throws -> Result) rethrows -> Result {
        let (bytes, positions, parameters) = (bytes, positions, parameters)
        let view = RequestView(
            bytes: bytes.span.bytes, positions: positions.span, target: target, host: host, nameRange: nameRange,
            headLength: headLength, method: method, minorVersion: minorVersion, names: parameterNames, parameters: parameters.span)
        return try body(view)
    }

    /// Made when it is first asked for.
    package var head: HTTPRequest {
        made.withLock { made in
            if let made { return made }
            let head = withView { $0.head }
            made = head
            return head
        }
    }

    package var body: ArraySlice<UInt8> { bytes[headLength...] }
}

extension RequestView {
    @_lifetime(copy bytes, copy positions, copy parameters)
    fileprivate init(
        bytes: RawSpan, positions: Span<FieldPosition>, target: RequestTarget, host: Range<Int>?, nameRange: Range<Int>,
        headLength: Int, method: HTTPMethod, minorVersion: UInt8, names: [String]?, parameters: Span<PathParameter>
    ) {
        self.bytes = bytes
        self.positions = positions
        self.target = target
        self.host = host
        self.nameRange = nameRange
        self.headLength = headLength
        self.method = method
        self.minorVersion = minorVersion
        parameterNames = names
        self.parameters = parameters
    }
}
