import ReactorWire

/// Reads a message's header section while it arrives (RFC 5322 section 2.2), line by line: where it ends, and which fields
/// matter to a relay.
struct HeaderScanner {
    /// `Received:` fields.
    private(set) var hops = 0
    private(set) var hasDate = false
    private(set) var hasMessageID = false
    /// Where the section ends, once it has: the empty line, or the first line that is no field.
    private(set) var end: Int?
    /// It ends in an empty line, as it should.
    private(set) var endsInEmptyLine = false
    /// Where the next line begins.
    private(set) var next: Int
    private var searched: Int

    /// - Parameter start: where the header begins.
    init(from start: Int) {
        next = start
        searched = start
    }

    /// Reads the lines that are whole. `content` is what was there before and more behind it.
    mutating func scan(_ content: RawSpan) {
        while end == nil {
            guard let lineFeed = content.firstIndex(of: UInt8(ascii: "\n"), from: max(next, searched)) else {
                searched = content.byteCount
                return
            }
            take(content.slice(next..<lineFeed))
            if end == nil { next = lineFeed + 1 }
        }
    }

    /// The message has ended: so has its header.
    mutating func finish(_ content: RawSpan) {
        scan(content)
        if end != nil { return }
        if next < content.byteCount { take(content.slice(next..<content.byteCount)) }
        if end == nil { end = content.byteCount }
    }

    /// A line, without its LF.
    private mutating func take(_ line: RawSpan) {
        let isEmpty = line.isEmpty || line.byteCount == 1 && line[0] == UInt8(ascii: "\r")
        if isEmpty {
            end = next
            endsInEmptyLine = true
        } else if line[0] == UInt8(ascii: " ") || line[0] == UInt8(ascii: "\t") {
            return  // Folded.
        } else if let name = Self.fieldName(line) {
            if name.equalsIgnoringCase("received") { hops += 1 }
            if name.equalsIgnoringCase("date") { hasDate = true }
            if name.equalsIgnoringCase("message-id") { hasMessageID = true }
        } else {
            end = next
        }
    }

    /// What stands before a line's colon; the space that may be between them (RFC 5322 section 4.5) is not part of it.
    @_lifetime(copy line)
    private static func fieldName(_ line: RawSpan) -> RawSpan? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        var stop = colon
        while stop > 0, line[stop - 1] == UInt8(ascii: " ") || line[stop - 1] == UInt8(ascii: "\t") { stop -= 1 }
        if stop == 0 { return nil }
        for index in 0..<stop where line[index] <= 32 || line[index] == 127 { return nil }
        return line.slice(0..<stop)
    }
}
