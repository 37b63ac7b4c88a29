import ReactorSMTP
import ReactorWire

/// A message's header, in lines that end in CRLF (RFC 5322 section 2.2).
struct HeaderBlock {
    private struct Field {
        /// In lower case.
        let name: String
        /// Folded lines and the last line's end included.
        let bytes: ArraySlice<UInt8>
        let body: ArraySlice<UInt8>
    }

    private var fields: [Field] = []
    private var added = ""
    /// Where the body begins in what the block was read from.
    let end: Int

    /// Where the header in front of `bytes` ends, behind its empty line; nil if that is still to come.
    ///
    /// - Parameter searched: how many of the bytes are known not to hold the end.
    static func end(of bytes: [UInt8], from searched: Int) -> Int? {
        if bytes.starts(with: "\r\n".utf8) { return 2 }
        var offset = searched
        while let lineFeed = bytes.span.bytes.firstIndex(of: UInt8(ascii: "\n"), from: offset) {
            offset = lineFeed + 1
            if lineFeed >= 3, bytes[lineFeed - 3...lineFeed].elementsEqual("\r\n\r\n".utf8) { return offset }
        }
        return nil
    }

    /// Reads the fields in front of `end`. The first line that is none begins the body.
    init(_ bytes: [UInt8], end: Int) {
        var offset = 0
        while offset < end {
            var lineEnd = Self.lineEnd(bytes, offset, end)
            if bytes[offset..<lineEnd].elementsEqual("\r\n".utf8) {
                offset = lineEnd
                break
            }
            while lineEnd < end, bytes[lineEnd] == UInt8(ascii: " ") || bytes[lineEnd] == UInt8(ascii: "\t") {
                lineEnd = Self.lineEnd(bytes, lineEnd, end)
            }
            guard let field = Self.field(bytes[offset..<lineEnd]) else { break }
            fields.append(field)
            offset = lineEnd
        }
        self.end = offset
    }

    private static func lineEnd(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Int {
        bytes[start..<end].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? end
    }

    private static func field(_ bytes: ArraySlice<UInt8>) -> Field? {
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        // Old messages have spaces in front of the colon (section 4.5).
        let name = Array(bytes[..<colon].reversed().drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }.reversed())
        guard !name.isEmpty, name.allSatisfy({ (33...126).contains($0) }) else { return nil }
        return Field(name: String(decoding: name, as: UTF8.self).lowercased(), bytes: bytes, body: bytes[(colon + 1)...])
    }

    /// Those of To, Cc and Bcc, each once; Bcc is removed.
    mutating func takeRecipients() throws(MailPreparationError) -> [String] {
        var found: [String] = []
        var known: Set<String> = []
        for field in fields where ["to", "cc", "bcc"].contains(field.name) {
            // `Bcc:` may list nobody.
            guard let addresses = AddressList.addresses(in: Array(field.body)) else {
                throw .addresses(field: field.name.prefix(1).uppercased() + field.name.dropFirst())
            }
            for address in addresses where known.insert(address).inserted { found.append(address) }
        }
        fields.removeAll { $0.name == "bcc" }
        return found
    }

    mutating func addMissing(hostname: String, unixSeconds: Int64) {
        if !fields.contains(where: { $0.name == "date" }) {
            added += "Date: \(CivilTime(unixSeconds: unixSeconds).mailDate)\r\n"
        }
        if !fields.contains(where: { $0.name == "message-id" }) {
            added += "Message-ID: <\(unixSeconds).\(QueueID.random())@\(hostname)>\r\n"
        }
    }

    /// With the empty line at the end.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for field in fields {
            bytes += field.bytes
            // The text ended without its last line's end.
            if bytes.last != UInt8(ascii: "\n") { bytes += Array("\r\n".utf8) }
        }
        return bytes + Array("\(added)\r\n".utf8)
    }
}
