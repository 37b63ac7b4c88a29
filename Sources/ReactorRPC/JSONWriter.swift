import FoundationEssentials

extension JSONValue {
    /// The value as JSON: no spaces, members sorted by their names.
    var json: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return try encoder.encode(self)
        }
    }
}

extension JSONValue: Encodable {
    public func encode(to encoder: any Encoder) throws {
        if case .array(let elements) = self {
            var container = encoder.unkeyedContainer()
            for element in elements { try container.encode(element) }
            return
        }
        var container = encoder.singleValueContainer()
        switch self {
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .decimal(let value) where value.isFinite: try container.encode(value)
        case .double(let value) where value.isFinite: try container.encode(value)
        case .string(let value): try container.encode(value)
        case .object(let members): try container.encode(members)
        // JSON has no infinity and no NaN.
        case .null, .decimal, .double, .array: try container.encodeNil()
        }
    }
}
