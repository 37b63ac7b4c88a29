public import ReactorHTTP
import ReactorWire
import Synchronization

/// Gives each request an id, which the answer tells as `X-Request-Id`, and which handlers and the access log find in the
/// exchange's context.
public struct RequestID: HTTPMiddleware {
    /// The id in an exchange's context.
    public enum Key: ExchangeContextKey {
        public typealias Value = String
    }

    /// The longest id that is taken from a request, in bytes: two UUIDs and a little.
    private static let longest = 80

    private let trustsPeer: Bool
    private let source = IDSource()

    /// - Parameter trustingPeer: an id that the request brings is taken, if it is well-formed. Right behind a proxy that makes
    ///   them; anyone else could give two requests the same id.
    public init(trustingPeer: Bool = false) { trustsPeer = trustingPeer }

    public func received(_ request: borrowing RequestView, with response: inout ResponseWriter) {
        if trustsPeer, let given = request.field("x-request-id"), Self.isWellFormed(given) {
            response.context[Key.self] = given.text
        } else {
            response.context[Key.self] = source.next()
        }
    }

    public func refused(_ status: HTTPStatus, with response: inout ResponseWriter) {
        response.context[Key.self] = source.next()
    }

    public func sending(_ status: HTTPStatus, with response: inout ResponseWriter) {
        if let id = response.existingContext?[Key.self] { response.field("X-Request-Id", id) }
    }

    /// Letters, digits and a few marks: nothing that means something in a log, a shell or HTML.
    private static func isWellFormed(_ id: RawSpan) -> Bool {
        guard id.byteCount > 0, id.byteCount <= longest else { return false }
        for index in 0..<id.byteCount {
            switch id[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                continue
            default: return false
            }
        }
        return true
    }
}

/// Ids that do not repeat: a random number, and a count. The number is drawn anew for each, because processes that are forked
/// go on from the same count. They need not be hard to guess.
private final class IDSource: Sendable {
    private let count = Atomic<UInt64>(0)

    func next() -> String {
        let number = count.wrappingAdd(1, ordering: .relaxed).newValue
        return Self.hex(.random(in: 0...UInt64.max)) + Self.hex(number).suffix(8)
    }

    private static func hex(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
}
