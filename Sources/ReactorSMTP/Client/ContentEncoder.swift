import ReactorWire

/// Writes a message's content as it follows DATA: with dots stuffed and the end marked (RFC 5321 section 4.5.2), a
/// piece at a time.
struct ContentEncoder {
    private var position = 0
    private var atLineStart = true
    private(set) var isDone = false

    private static let pieceSize = 32 * 1024

    /// Writes the next piece; the end mark is one of its own, so that it is not written while the content before it has
    /// yet to drain, and a reply to all of it cannot have come. `content` must hold no CR or LF but in CRLF; see ``ContentFacts``.
    mutating func writePiece(of content: RawSpan, to output: inout ByteQueue) {
        if position == content.byteCount {
            if !atLineStart { output.append("\r\n") }
            output.append(".\r\n")
            isDone = true
            return
        }
        let end = min(position + Self.pieceSize, content.byteCount)
        var run = position
        while position < end {
            if atLineStart, content[position] == UInt8(ascii: ".") {
                output.append(content.slice(run..<position))
                output.append(UInt8(ascii: "."))
                run = position
            }
            let lineFeed = content.slice(position..<end).firstIndex(of: UInt8(ascii: "\n"))
            atLineStart = lineFeed != nil
            position = lineFeed.map { position + $0 + 1 } ?? end
        }
        output.append(content.slice(run..<position))
    }
}

/// What a client must know of a content before it may send it.
struct ContentFacts {
    /// A CR or LF stands alone: sent as it is, it could pass for the message's end (RFC 5321 section 2.3.8).
    let hasBareLineBreak: Bool
    /// Some byte is above 127.
    let has8Bit: Bool

    init(_ content: RawSpan) {
        hasBareLineBreak = Self.hasBareLineBreak(content)
        has8Bit = content.withUnsafeBytes { bytes in
            // Without an early exit, so that the compiler makes vector code of it.
            var seen: UInt8 = 0
            for byte in bytes { seen |= byte }
            return seen > 127
        }
    }

    private static func hasBareLineBreak(_ content: RawSpan) -> Bool {
        let (cr, lf) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
        var start = 0
        while let lineFeed = content.firstIndex(of: lf, from: start) {
            guard lineFeed > start, content[lineFeed - 1] == cr,
                content.slice(start..<lineFeed - 1).firstIndex(of: cr) == nil
            else { return true }
            start = lineFeed + 1
        }
        return content.firstIndex(of: cr, from: start) != nil
    }
}
