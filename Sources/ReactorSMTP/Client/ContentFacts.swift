package import ReactorWire

/// What a client must know of a content before it may send it, found in one pass over its pieces.
package struct ContentFacts: Equatable {
    /// A CR or LF stands alone: sent as it is, it could pass for the message's end (RFC 5321 section 2.3.8).
    package private(set) var hasBareLineBreak = false
    /// Some byte is above 127.
    package private(set) var has8Bit = false
    /// Some byte of the header is.
    package private(set) var has8BitHeader = false
    private(set) var hasNUL = false
    /// In bytes, without its end.
    private(set) var longestLine = 0
    private var endsInCR = false
    private var isInBody = false
    /// Of the line that goes on in the next piece: its bytes so far, a CR at their end included.
    private var lineCount = 0

    package init() {}

    /// RFC 5322 section 2.1.1.
    static let maxLine = 998

    /// It could not be sent but by BDAT: not even 8BITMIME has it (RFC 2045 section 2.8).
    package var isBinary: Bool { hasBareLineBreak || hasNUL || longestLine > Self.maxLine }

    package mutating func add(_ piece: RawSpan) {
        if piece.isEmpty { return }
        let is8Bit = Self.has8Bit(piece)
        has8Bit = has8Bit || is8Bit
        hasNUL = hasNUL || piece.firstIndex(of: 0) != nil
        let header = noteLines(of: piece)
        if is8Bit, header > 0, Self.has8Bit(piece.slice(0..<header)) { has8BitHeader = true }
    }

    /// Nothing follows.
    package mutating func end() {
        if endsInCR { hasBareLineBreak = true }
        longestLine = max(longestLine, lineCount)
    }

    /// - Returns: how much of the piece is header.
    private mutating func noteLines(of piece: RawSpan) -> Int {
        var header = isInBody ? 0 : piece.byteCount
        var start = 0
        while let lineFeed = piece.firstIndex(of: UInt8(ascii: "\n"), from: start) {
            let hasCR = lineFeed > start ? piece[lineFeed - 1] == UInt8(ascii: "\r") : lineFeed == 0 && endsInCR
            let end = lineFeed - (lineFeed > start && hasCR ? 1 : 0)
            if !hasCR || (endsInCR && lineFeed > 0 && start == 0) || Self.hasCR(piece, start..<end) { hasBareLineBreak = true }
            let count = lineCount + end - start - (lineFeed == start && hasCR ? 1 : 0)
            longestLine = max(longestLine, count)
            if count == 0, !isInBody {
                isInBody = true
                header = lineFeed
            }
            endsInCR = false
            lineCount = 0
            start = lineFeed + 1
        }
        if start == piece.byteCount { return header }
        if endsInCR { hasBareLineBreak = true }
        endsInCR = piece[piece.byteCount - 1] == UInt8(ascii: "\r")
        if Self.hasCR(piece, start..<piece.byteCount - (endsInCR ? 1 : 0)) { hasBareLineBreak = true }
        lineCount += piece.byteCount - start
        return header
    }

    private static func hasCR(_ piece: RawSpan, _ range: Range<Int>) -> Bool {
        piece.slice(range).firstIndex(of: UInt8(ascii: "\r")) != nil
    }

    private static func has8Bit(_ piece: RawSpan) -> Bool {
        piece.withUnsafeBytes { bytes in
            // Without an early exit, so that the compiler makes vector code of it.
            var seen: UInt8 = 0
            for byte in bytes { seen |= byte }
            return seen > 127
        }
    }
}

extension MessageContent {
    /// A file's content is read for it, a piece at a time. Blocks as long as that takes.
    package func facts() throws(ContentFileError) -> ContentFacts {
        var facts = ContentFacts()
        switch self {
        case .bytes(let bytes): facts.add(bytes.span.bytes)
        case .file(let file):
            let size = file.size
            var offset = 0
            var piece: [UInt8] = []
            while offset < size {
                piece.removeAll(keepingCapacity: true)
                try file.read(from: offset, upTo: 256 * 1024, into: &piece)
                facts.add(piece.span.bytes)
                offset += piece.count
            }
        }
        facts.end()
        return facts
    }
}
