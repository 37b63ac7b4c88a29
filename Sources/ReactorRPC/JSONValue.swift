/// A JSON text (RFC 8259) as a value. Numbers and the order of members are kept as they were sent, so that what a
/// client sent can be given back to it unchanged.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    /// Any other number, as it is written in JSON: fractions, exponents, and integers past 64 bits.
    case number(literal: String)
    case string(String)
    case array([JSONValue])
    case object([JSONMember])

    /// A number as JSON writes it; null for infinity and NaN, which JSON has not.
    public init(_ value: Double) {
        self = value.isFinite ? .number(literal: "\(value)") : .null
    }

    /// A number's value, rounded to what a `Double` holds.
    public var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let literal): Double(literal)
        default: nil
        }
    }

    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// An object's member; the last, if several have that name.
    public subscript(name: String) -> JSONValue? {
        if case .object(let members) = self { members.last { $0.name == name }?.value } else { nil }
    }
}

/// A name and its value in a JSON object.
public struct JSONMember: Hashable, Sendable {
    public var name: String
    public var value: JSONValue

    public init(_ name: String, _ value: JSONValue) {
        self.name = name
        self.value = value
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
        self = .object(elements.map { JSONMember($0.0, $0.1) })
    }
    public init(nilLiteral: ()) { self = .null }
}
