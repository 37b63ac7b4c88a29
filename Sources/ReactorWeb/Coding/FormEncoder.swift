/// Encodes `Codable` values as forms and queries, in the shape that ``FormDecoder`` reads. What is nil is left out.
public struct FormEncoder: Sendable {
    public init() {}

    /// - Throws: `EncodingError` for a value that has no names at its top, such as an array or a number; and what the
    ///   value's own `encode(to:)` throws.
    public func encode(_ value: some Encodable) throws -> [UInt8] { try fields(of: value).encoded }

    public func fields(of value: some Encodable) throws -> FormFields {
        let sink = FormSink()
        try value.encode(to: NameEncoder(sink: sink, name: "", elementName: "", codingPath: []))
        if sink.fields.all.contains(where: { $0.name.isEmpty || $0.name.hasPrefix("[") }) {
            throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: "a form's fields have names"))
        }
        return sink.fields
    }
}

private final class FormSink {
    var fields = FormFields()
}

/// Writes to one name: a value as it is, a structure's members as `name[member]`. An element of an array has two names:
/// `name`, repeated, for a value, and `name[3]` for what has members of its own.
private struct NameEncoder: Encoder, SingleValueEncodingContainer {
    let sink: FormSink
    let name: String
    let elementName: String
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(KeyedNames(sink: sink, name: elementName, codingPath: codingPath))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer { NameList(sink: sink, name: elementName, codingPath: codingPath) }
    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    func encodeNil() throws {}
    func encode(_ value: String) throws { sink.fields.append(name, value) }
    func encode(_ value: Bool) throws { try encode(value ? "true" : "false") }
    func encode(_ value: Double) throws { try encodeFinite(value) }
    func encode(_ value: Float) throws { try encodeFinite(value) }
    func encode(_ value: Int) throws { try encode(String(value)) }
    func encode(_ value: Int8) throws { try encode(String(value)) }
    func encode(_ value: Int16) throws { try encode(String(value)) }
    func encode(_ value: Int32) throws { try encode(String(value)) }
    func encode(_ value: Int64) throws { try encode(String(value)) }
    func encode(_ value: UInt) throws { try encode(String(value)) }
    func encode(_ value: UInt8) throws { try encode(String(value)) }
    func encode(_ value: UInt16) throws { try encode(String(value)) }
    func encode(_ value: UInt32) throws { try encode(String(value)) }
    func encode(_ value: UInt64) throws { try encode(String(value)) }
    func encode(_ value: some Encodable) throws { try value.encode(to: self) }

    private func encodeFinite(_ value: some BinaryFloatingPoint & CustomStringConvertible) throws {
        guard value.isFinite else {
            throw EncodingError.invalidValue(value, .init(codingPath: codingPath, debugDescription: "not a finite number"))
        }
        try encode(value.description)
    }
}

private struct KeyedNames<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let sink: FormSink
    let name: String
    let codingPath: [any CodingKey]

    private func encoder(_ key: any CodingKey) -> NameEncoder {
        let inner = name.isEmpty ? key.stringValue : "\(name)[\(key.stringValue)]"
        return NameEncoder(sink: sink, name: inner, elementName: inner, codingPath: codingPath + [key])
    }

    func encodeNil(forKey key: Key) throws {}
    func encode(_ value: some Encodable, forKey key: Key) throws { try value.encode(to: encoder(key)) }
    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
        encoder(key).container(keyedBy: type)
    }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { encoder(key).unkeyedContainer() }
    func superEncoder() -> any Encoder { NameEncoder(sink: sink, name: name, elementName: name, codingPath: codingPath) }
    func superEncoder(forKey key: Key) -> any Encoder { encoder(key) }
}

private struct NameList: UnkeyedEncodingContainer {
    let sink: FormSink
    let name: String
    let codingPath: [any CodingKey]
    private(set) var count = 0

    init(sink: FormSink, name: String, codingPath: [any CodingKey]) {
        self.sink = sink
        self.name = name
        self.codingPath = codingPath
    }

    private mutating func next() -> NameEncoder {
        defer { count += 1 }
        return NameEncoder(
            sink: sink, name: name, elementName: "\(name)[\(count)]", codingPath: codingPath + [FormIndex(count)])
    }

    mutating func encodeNil() throws { _ = next() }
    mutating func encode(_ value: some Encodable) throws { try value.encode(to: next()) }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        next().container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { next().unkeyedContainer() }
    mutating func superEncoder() -> any Encoder { next() }
}
