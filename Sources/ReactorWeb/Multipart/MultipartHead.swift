import ReactorHTTP
import ReactorWire

/// What stands before a part: which field it is, and whether it is a file (RFC 7578 section 4).
public struct MultipartHead: Equatable, Sendable {
    /// The field's name, as sent: browsers write a quote in it as `%22`.
    public let name: String
    /// The part is a file: it came with a filename, be it empty.
    public var isFile: Bool { filename != nil }
    /// How the peer calls the file, for people to read. What leads into other folders, control characters and dots at the
    /// front are gone, so it never is a path; it may be empty, and two files may have the same.
    public let filename: String?
    /// The part's Content-Type, as sent; nil is plain text.
    public let contentType: String?

    /// Reads the lines of a head, without the empty one at its end.
    init(_ lines: RawSpan, limits: MultipartLimits) throws(MultipartViolation) {
        var disposition: FieldParameters?
        var type: String?
        var start = 0
        while start < lines.byteCount {
            let end = Self.lineEnd(lines, from: start)
            let (name, valueStart) = try Self.fieldName(lines.slice(start..<end))
            let value = lines.slice(start + valueStart..<end).trimmed
            for index in 0..<value.byteCount where ByteClass.isControl(value[index]) { throw .malformedHead }
            switch name {
            case "content-disposition":
                guard disposition == nil, let parsed = FieldParameters(value) else { throw .malformedHead }
                disposition = parsed
            case "content-type":
                guard type == nil else { throw .malformedHead }
                type = value.text
            case "content-transfer-encoding":
                guard value.equalsIgnoringCase("binary") || value.equalsIgnoringCase("8bit") || value.equalsIgnoringCase("7bit")
                else { throw .encoded }
            default: break
            }
            start = end + 2
        }
        guard let disposition, disposition.word == "form-data" else { throw .malformedHead }
        guard let name = disposition["name"] else { throw .nameless }
        if name.count > limits.name { throw .nameTooLong }
        self.name = String(decoding: name, as: UTF8.self)
        filename = disposition["filename"].map(Self.sanitised)
        contentType = type
    }

    private static func lineEnd(_ lines: RawSpan, from start: Int) -> Int {
        // Each line of a head ends in CRLF, and a CR stands nowhere else: ``MultipartParser`` has seen to it.
        lines.firstIndex(of: UInt8(ascii: "\r"), from: start) ?? lines.byteCount
    }

    private static func fieldName(_ line: RawSpan) throws(MultipartViolation) -> (String, valueStart: Int) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { throw .malformedHead }
        for index in 0..<colon where !ByteClass.isToken(line[index]) { throw .malformedHead }
        return (line.slice(0..<colon).text.lowercased(), colon + 1)
    }

    /// Longer names are cut: file systems have 255 bytes, and room is left for what a server puts in front.
    private static let longestFilename = 200

    static func sanitised(_ filename: [UInt8]) -> String {
        let separators: [UInt8] = [UInt8(ascii: "/"), UInt8(ascii: "\\")]
        let last = filename.lastIndex(where: separators.contains).map { filename[($0 + 1)...] } ?? filename[...]
        // Characters, not bytes: C1 controls and marks that turn the direction of text hide what a name ends in.
        var scalars = String.UnicodeScalarView()
        var length = 0
        for scalar in String(decoding: last, as: UTF8.self).unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: continue
            default: break
            }
            if scalars.isEmpty, scalar == "." || scalar == " " { continue }
            length += String(scalar).utf8.count
            if length > longestFilename { break }
            scalars.append(scalar)
        }
        while scalars.last == "." || scalars.last == " " { scalars.removeLast() }
        return String(scalars)
    }
}
