import ReactorWire

/// Writes a message's content a piece at a time, so that no more of it is in memory than waits to be sent: as it follows
/// DATA, with dots stuffed and the end marked (RFC 5321 section 4.5.2), or as it follows BDAT (RFC 3030 section 2).
struct ContentEncoder {
    enum Command { case data, bdat }

    let command: Command
    private let size: Int
    private var position = 0
    private var atLineStart = true
    private(set) var isDone = false

    private static let pieceSize = 64 * 1024

    init(_ command: Command, size: Int) {
        self.command = command
        self.size = size
    }

    /// Writes the next piece; the end mark is one of its own, so that it is not written while the content before it has
    /// yet to drain, and a reply to all of it cannot have come. For DATA, `content` must hold no CR or LF but in CRLF;
    /// see ``ContentFacts``.
    ///
    /// - Parameter room: where a piece of a file is read to; kept by the caller from piece to piece.
    mutating func writePiece(
        of content: MessageContent, by room: inout [UInt8], to output: inout ByteQueue
    ) throws(ContentFileError) {
        if position >= size { return end(&output) }
        let count = min(Self.pieceSize, size - position)
        switch content {
        case .bytes(let bytes): write(bytes.span.bytes.slice(position..<position + count), to: &output)
        case .file(let file):
            room.removeAll(keepingCapacity: true)
            try file.read(from: position, upTo: count, into: &room)
            write(room.span.bytes, to: &output)
        }
        position += count
        // Nothing marks the end of what was announced.
        if command == .bdat, position == size { isDone = true }
    }

    private mutating func end(_ output: inout ByteQueue) {
        isDone = true
        if command == .bdat { return }
        if !atLineStart { output.append("\r\n") }
        output.append(".\r\n")
    }

    private mutating func write(_ piece: RawSpan, to output: inout ByteQueue) {
        if command == .bdat { return output.append(piece) }
        var run = 0
        var offset = 0
        while offset < piece.byteCount {
            if atLineStart, piece[offset] == UInt8(ascii: ".") {
                output.append(piece.slice(run..<offset))
                output.append(UInt8(ascii: "."))
                run = offset
            }
            let lineFeed = piece.firstIndex(of: UInt8(ascii: "\n"), from: offset)
            atLineStart = lineFeed != nil
            offset = lineFeed.map { $0 + 1 } ?? piece.byteCount
        }
        output.append(piece.slice(run..<piece.byteCount))
    }
}
