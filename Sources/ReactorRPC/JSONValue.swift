public import FoundationEssentials

/// A JSON text (RFC 8259) as a value.
///
/// Of objects, neither the order of members nor a name that stands twice is kept: the last member of a name counts, and
/// members are written sorted by name, so that the same value is always the same text. Names are compared as Swift
/// compares strings, by canonical equivalence.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    /// A number that neither `Int` nor `Double` holds exactly, in 38 digits: integers past `Int`, and long fractions.
    case decimal(Decimal)
    /// Any other number. Infinity and NaN, which JSON has not, are written as null.
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// A number's value, rounded to what a `Double` holds.
    public var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .decimal(let value): Double("\(value)")
        case .double(let value): value
        default: nil
        }
    }

    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// An object's member.
    public subscript(name: String) -> JSONValue? {
        if case .object(let members) = self { members[name] } else { nil }
    }
}

extension JSONValue: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
    public init(nilLiteral: ()) { self = .null }
}
