public import ReactorWire

/// Decodes `Codable` values from forms and queries.
///
/// `name=Ada&tag=x&tag=y&address[city]=London` is a structure with a `name`, an array `tag`, and a structure `address`.
/// `tag[]=x` is the same as `tag=x`; an array of structures is written `item[0][name]=…`. Of a name that stands twice
/// where one value is wanted, the last counts. `true`, `on` and `1` are true, `false`, `off` and `0` are false; an
/// empty field is nil for an optional number, as browsers send what was not filled in.
public struct FormDecoder: Sendable {
    public var limits: FormLimits

    public init(limits: FormLimits = .default) { self.limits = limits }

    /// - Throws: ``FormViolation`` for what is past the limits, `DecodingError` for what is not a `Value`. Both are the
    ///   peer's fault.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self, from bytes: RawSpan) throws -> Value {
        try decode(type, from: FormFields(parsing: bytes, limits: limits))
    }

    public func decode<Value: Decodable>(_ type: Value.Type = Value.self, from fields: FormFields) throws -> Value {
        try Value(from: NodeDecoder(node: FormNode(fields, limits: limits), codingPath: []))
    }
}

private struct NodeDecoder: Decoder, SingleValueDecodingContainer {
    /// A value may be read as an array of itself, for ever by a type that holds arrays of its own type: names do not bound
    /// that, so this does.
    private static let deepest = 32

    let node: FormNode
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(node: FormNode, codingPath: [any CodingKey]) throws {
        if codingPath.count > Self.deepest { throw FormViolation.nestedTooDeeply }
        self.node = node
        self.codingPath = codingPath
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(KeyedNodes(node: node, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        NodeList(elements: node.elements, codingPath: codingPath)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    // MARK: One value

    private func text() throws -> String {
        guard let value = node.values.last else {
            throw DecodingError.valueNotFound(String.self, .init(codingPath: codingPath, debugDescription: "no value"))
        }
        return value
    }

    private func parse<Value: LosslessStringConvertible>(_ type: Value.Type) throws -> Value {
        guard let value = Value(try text()) else { throw mismatch(type) }
        return value
    }

    private func parseFinite<Value: BinaryFloatingPoint & LosslessStringConvertible>(_ type: Value.Type) throws -> Value {
        let value = try parse(type)
        if !value.isFinite { throw mismatch(type) }
        return value
    }

    private func mismatch(_ type: Any.Type) -> DecodingError {
        DecodingError.typeMismatch(type, .init(codingPath: codingPath, debugDescription: "the field is no \(type)"))
    }

    func decodeNil() -> Bool { node.values.isEmpty && node.children.isEmpty }
    func decode(_ type: String.Type) throws -> String { try text() }
    func decode(_ type: Bool.Type) throws -> Bool {
        let text = try text()
        if ["true", "on", "1"].contains(where: text.hasSameBytes) { return true }
        if ["false", "off", "0"].contains(where: text.hasSameBytes) { return false }
        throw mismatch(type)
    }
    func decode(_ type: Double.Type) throws -> Double { try parseFinite(type) }
    func decode(_ type: Float.Type) throws -> Float { try parseFinite(type) }
    func decode(_ type: Int.Type) throws -> Int { try parse(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try parse(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try parse(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try parse(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try parse(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try parse(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try parse(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try parse(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try parse(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try parse(type) }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try Value(from: self) }
}

private struct KeyedNodes<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let node: FormNode
    let codingPath: [any CodingKey]

    var allKeys: [Key] { node.children.keys.compactMap { Key(stringValue: $0) } }
    func contains(_ key: Key) -> Bool { node.children[key.stringValue] != nil }

    private func decoder(_ key: any CodingKey) throws -> NodeDecoder {
        guard let child = node.children[key.stringValue] else {
            throw DecodingError.keyNotFound(
                key, .init(codingPath: codingPath, debugDescription: "no field '\(key.stringValue)'"))
        }
        return try NodeDecoder(node: child, codingPath: codingPath + [key])
    }

    func decodeNil(forKey key: Key) throws -> Bool { node.children[key.stringValue] == nil }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try Value(from: decoder(key)) }

    /// An empty field that may be nil is nil, unless it is text.
    private func decodeFilled<Value: Decodable>(_ type: Value.Type, _ key: Key) throws -> Value? {
        guard let child = node.children[key.stringValue], child.values.last?.isEmpty != true else { return nil }
        return try decode(type, forKey: key)
    }

    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try decodeFilled(type, key) }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { try decodeFilled(type, key) }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? { try decodeFilled(type, key) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try decodeFilled(type, key) }
    func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? { try decodeFilled(type, key) }
    func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? { try decodeFilled(type, key) }
    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? { try decodeFilled(type, key) }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { try decodeFilled(type, key) }
    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? { try decodeFilled(type, key) }
    func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? { try decodeFilled(type, key) }
    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? { try decodeFilled(type, key) }
    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? { try decodeFilled(type, key) }
    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? { try decodeFilled(type, key) }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
        try decoder(key).container(keyedBy: type)
    }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try decoder(key).unkeyedContainer() }
    func superDecoder() throws -> any Decoder { try NodeDecoder(node: node, codingPath: codingPath) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }
}

private struct NodeList: UnkeyedDecodingContainer {
    let elements: [FormNode]
    let codingPath: [any CodingKey]
    var currentIndex = 0

    init(elements: [FormNode], codingPath: [any CodingKey]) {
        self.elements = elements
        self.codingPath = codingPath
    }

    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex == elements.count }

    private mutating func next() throws -> NodeDecoder {
        let path = codingPath + [FormIndex(currentIndex)]
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(Any.self, .init(codingPath: path, debugDescription: "no more elements"))
        }
        defer { currentIndex += 1 }
        return try NodeDecoder(node: elements[currentIndex], codingPath: path)
    }

    mutating func decodeNil() throws -> Bool { false }
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try Value(from: next()) }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
        try next().container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
    mutating func superDecoder() throws -> any Decoder { try next() }
}

/// An element's place, as a key.
struct FormIndex: CodingKey {
    let intValue: Int?
    let stringValue: String

    init(_ index: Int) {
        intValue = index
        stringValue = String(index)
    }
    init?(intValue: Int) { self.init(intValue) }
    init?(stringValue: String) {
        guard let index = Int(stringValue) else { return nil }
        self.init(index)
    }
}
