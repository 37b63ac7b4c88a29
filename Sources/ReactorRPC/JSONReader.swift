import Foundation
import ReactorWire

extension JSONValue {
    /// The text is not JSON, or past the limits.
    struct Unreadable: Error {}

    /// Reads one JSON text. Foundation decides what JSON is: docs/decisions/0011-json-by-foundation.md.
    init(reading bytes: RawSpan, limits: RPCLimits) throws(Unreadable) {
        let bounds = JSONBounds(nesting: limits.nesting, values: limits.values, memberName: limits.memberName)
        guard bounds.hold(for: bytes) else { throw Unreadable() }
        let text = bytes.withUnsafeBytes { Data($0) }
        guard let root = try? JSONSerialization.jsonObject(with: text, options: .fragmentsAllowed) else { throw Unreadable() }
        self.init(converting: root)
    }

    /// The type is compared before it is cast to: to a bridged type, a cast that fails is slow.
    private init(converting root: Any) {
        let type = type(of: root)
        if type == String.self, let text = root as? String {
            self = .string(text)
        } else if type == [Any].self, let elements = root as? [Any] {
            self = .array(elements.map(JSONValue.init(converting:)))
        } else if type == [String: Any].self, let members = root as? [String: Any] {
            self = .object(members.mapValues(JSONValue.init(converting:)))
        } else if let number = root as AnyObject as? NSNumber {
            self.init(number)
        } else {
            self = .null
        }
    }

    /// A number or a boolean: Foundation has one class for both, and only the type it was made from tells them apart.
    private init(_ number: NSNumber) {
        switch UInt8(bitPattern: number.objCType.pointee) {
        case UInt8(ascii: "c"):
            self = .bool(number.boolValue)
        case UInt8(ascii: "d"):
            guard let number = number as? NSDecimalNumber else {
                self = .double(number.doubleValue)
                return
            }
            // Past what the other types hold exactly; but the least integer comes this way too.
            let decimal = number.decimalValue
            self = decimal == Decimal(Int.min) ? .integer(.min) : .decimal(decimal)
        case UInt8(ascii: "Q"):
            self = Int(exactly: number.uint64Value).map { .integer($0) } ?? .decimal(Decimal(number.uint64Value))
        default:
            self = .integer(number.intValue)
        }
    }
}
