import ReactorHTTP
import ReactorWire

/// A field value such as `form-data; name="a"; filename="b.txt"`: a word and named parameters, as Content-Type and
/// Content-Disposition have them (RFC 9110 sections 5.6.6 and 8.3.1).
struct FieldParameters: Equatable {
    /// In lower case.
    let word: String
    private let parameters: [Parameter]

    struct Parameter: Equatable {
        let name: String
        let value: [UInt8]
    }

    /// The most parameters; fields that people send have three.
    private static let most = 16

    /// Nil if the syntax is broken, or a name stands twice: another reader could take the other value.
    init?(_ bytes: RawSpan) {
        var offset = 0
        while offset < bytes.byteCount, ByteClass.isToken(bytes[offset]) || bytes[offset] == UInt8(ascii: "/") { offset += 1 }
        if offset == 0 { return nil }
        word = bytes.slice(0..<offset).text.lowercased()
        var found: [Parameter] = []
        while true {
            Self.skipSpace(bytes, &offset)
            if offset == bytes.byteCount { break }
            guard bytes[offset] == UInt8(ascii: ";") else { return nil }
            offset += 1
            Self.skipSpace(bytes, &offset)
            // A semicolon may stand at the end, and several in a row (RFC 9110 section 5.6.6).
            if offset == bytes.byteCount || bytes[offset] == UInt8(ascii: ";") { continue }
            guard let parameter = Self.parameter(bytes, &offset), found.count < Self.most,
                !found.contains(where: { $0.name == parameter.name })
            else { return nil }
            found.append(parameter)
        }
        parameters = found
    }

    subscript(name: String) -> [UInt8]? { parameters.first { $0.name == name }?.value }

    private static func skipSpace(_ bytes: RawSpan, _ offset: inout Int) {
        while offset < bytes.byteCount, ByteClass.isSpace(bytes[offset]) { offset += 1 }
    }

    /// `name=value`, or `name="value"`; the name in lower case.
    static func parameter(_ bytes: RawSpan, _ offset: inout Int) -> Parameter? {
        let start = offset
        while offset < bytes.byteCount, ByteClass.isToken(bytes[offset]) { offset += 1 }
        guard offset > start, offset < bytes.byteCount, bytes[offset] == UInt8(ascii: "=") else { return nil }
        let name = bytes.slice(start..<offset).text.lowercased()
        offset += 1
        guard let value = value(bytes, &offset) else { return nil }
        return Parameter(name: name, value: value)
    }

    private static func value(_ bytes: RawSpan, _ offset: inout Int) -> [UInt8]? {
        guard offset < bytes.byteCount else { return nil }
        if bytes[offset] == UInt8(ascii: "\"") { return quoted(bytes, &offset) }
        let start = offset
        while offset < bytes.byteCount, ByteClass.isToken(bytes[offset]) { offset += 1 }
        return offset > start ? bytes.slice(start..<offset).array : nil
    }

    /// Only a quote and a backslash are escaped by a backslash: old browsers sent paths such as `C:\photos\a.jpg` as they
    /// are.
    private static func quoted(_ bytes: RawSpan, _ offset: inout Int) -> [UInt8]? {
        var value: [UInt8] = []
        offset += 1
        while offset < bytes.byteCount {
            let byte = bytes[offset]
            offset += 1
            if byte == UInt8(ascii: "\"") { return value }
            if ByteClass.isControl(byte) { return nil }
            if byte == UInt8(ascii: "\\"), offset < bytes.byteCount,
                bytes[offset] == UInt8(ascii: "\"") || bytes[offset] == UInt8(ascii: "\\")
            {
                value.append(bytes[offset])
                offset += 1
            } else {
                value.append(byte)
            }
        }
        return nil
    }
}
