import FoundationEssentials

/// What a method is called with (JSON-RPC 2.0 section 4.2).
public enum RPCParameters: Hashable, Sendable {
    case none
    case positional([JSONValue])
    case named([String: JSONValue])

    /// The parameters as one value; null if there were none.
    public var value: JSONValue {
        switch self {
        case .none: .null
        case .positional(let values): .array(values)
        case .named(let members): .object(members)
        }
    }

    /// The parameters in the order of `names`, however they were passed.
    ///
    /// - Throws: ``RPCError/invalidParams`` unless each is there and no other is.
    public func values(_ names: String...) throws(RPCError) -> [JSONValue] {
        switch self {
        case .none where names.isEmpty:
            return []
        case .positional(let values) where values.count == names.count:
            return values
        case .named(let members) where members.count == names.count:
            var values: [JSONValue] = []
            for name in names {
                guard let value = members[name] else { throw .invalidParams }
                values.append(value)
            }
            return values
        default:
            throw .invalidParams
        }
    }

    /// The parameters as a `Decodable` value: an array or an object, as they were sent.
    ///
    /// - Throws: ``RPCError/invalidParams`` if they are not one.
    public func decode<Value: Decodable>(_ type: Value.Type) throws(RPCError) -> Value {
        do { return try JSONDecoder().decode(type, from: value.json) } catch { throw .invalidParams }
    }
}
