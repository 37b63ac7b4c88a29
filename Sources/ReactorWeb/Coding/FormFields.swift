public import ReactorWire

/// The fields of a form, or of a query: names and values in the order sent, decoded. A name may stand more than once.
public struct FormFields: Equatable, Sendable {
    public struct Field: Equatable, Sendable {
        public var name: String
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    public private(set) var all: [Field] = []

    public init() {}

    /// Reads `application/x-www-form-urlencoded` (URL Standard, section 5.1): what a form's body holds, or what stands
    /// behind a target's `?`. Nothing in the syntax is refused; only what is past the limits.
    public init(parsing bytes: RawSpan, limits: FormLimits = .default) throws(FormViolation) {
        if bytes.byteCount > limits.bytes { throw .tooLong }
        var start = 0
        while start < bytes.byteCount {
            let end = bytes.firstIndex(of: UInt8(ascii: "&"), from: start) ?? bytes.byteCount
            if end > start {
                if all.count == limits.fields { throw .tooManyFields }
                all.append(try Self.field(bytes.slice(start..<end), limits))
            }
            start = end + 1
        }
    }

    private static func field(_ bytes: RawSpan, _ limits: FormLimits) throws(FormViolation) -> Field {
        let nameEnd = bytes.firstIndex(of: UInt8(ascii: "=")) ?? bytes.byteCount
        if nameEnd > limits.name { throw .nameTooLong }
        let value = nameEnd < bytes.byteCount ? FormText.decode(bytes.slice(nameEnd + 1..<bytes.byteCount)) : ""
        return Field(name: FormText.decode(bytes.slice(0..<nameEnd)), value: value)
    }

    /// The first value of that name, compared byte by byte. Looks through the fields: for many names, decode a `Codable` type.
    public subscript(name: String) -> String? { all.first { $0.name.hasSameBytes(as: name) }?.value }

    /// Every value of that name.
    public func values(of name: String) -> [String] { all.filter { $0.name.hasSameBytes(as: name) }.map(\.value) }

    public mutating func append(_ name: String, _ value: String) { all.append(Field(name: name, value: value)) }

    /// The fields as `application/x-www-form-urlencoded`.
    public var encoded: [UInt8] {
        var output: [UInt8] = []
        for field in all {
            if !output.isEmpty { output.append(UInt8(ascii: "&")) }
            FormText.encode(field.name, to: &output)
            output.append(UInt8(ascii: "="))
            FormText.encode(field.value, to: &output)
        }
        return output
    }
}

extension String {
    /// What a peer sent is compared so: `==` compares canonical forms, and to make one takes time that grows with the square
    /// of the accents on one letter.
    func hasSameBytes(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
