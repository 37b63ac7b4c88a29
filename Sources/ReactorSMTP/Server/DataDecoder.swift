import ReactorWire

/// Takes a message's content out of what follows DATA: undoes the dot-stuffing and finds the end (RFC 5321 section
/// 4.5.2).
///
/// Only CRLF "." CRLF ends a message, where the first CRLF may be that of the DATA command. A CR or LF that stands
/// alone makes the message ``isMalformed`` and never starts a line: peers that disagree on this is how one message is
/// smuggled inside another. Line ends are found by `memchr`; text between two removed dots is passed on in one run.
struct DataDecoder {
    /// A bare CR or LF was seen (RFC 5321 section 2.3.8 forbids both).
    private(set) var isMalformed = false
    private var atLineStart = true

    /// Decodes what is there, and passes content to `content`, in order.
    ///
    /// - Returns: how many bytes were used, and whether the message ended with the last of them. At most two bytes are
    ///   left, which mean nothing without the next one: offer them again with more behind them.
    mutating func decode(
        _ bytes: RawSpan, from start: Int, into content: inout ContentBuffer
    ) -> (used: Int, ended: Bool) {
        let end = bytes.byteCount
        var run = start
        var position = start
        while position < end {
            if atLineStart, bytes[position] == UInt8(ascii: ".") {
                content.append(bytes.slice(run..<position))
                switch Dot(bytes, at: position) {
                case .unclear: return (position - start, false)
                case .ends: return (position + 3 - start, true)
                case .stuffed: break
                }
                atLineStart = false
                position += 1
                run = position
            }
            guard let lineFeed = bytes.firstIndex(of: UInt8(ascii: "\n"), from: position) else {
                let stop = bytes[end - 1] == UInt8(ascii: "\r") ? end - 1 : end
                note(bareReturnIn: bytes.slice(position..<stop))
                if stop > position { atLineStart = false }
                content.append(bytes.slice(run..<stop))
                return (stop - start, false)
            }
            atLineStart = lineFeed > position && bytes[lineFeed - 1] == UInt8(ascii: "\r")
            if !atLineStart { isMalformed = true }
            note(bareReturnIn: bytes.slice(position..<(atLineStart ? lineFeed - 1 : lineFeed)))
            position = lineFeed + 1
        }
        content.append(bytes.slice(run..<end))
        return (end - start, false)
    }

    private mutating func note(bareReturnIn text: RawSpan) {
        if text.firstIndex(of: UInt8(ascii: "\r")) != nil { isMalformed = true }
    }

    /// What a dot at the start of a line means.
    private enum Dot {
        case ends, stuffed, unclear

        init(_ bytes: RawSpan, at dot: Int) {
            let left = bytes.byteCount - dot - 1
            if left >= 1, bytes[dot + 1] != UInt8(ascii: "\r") {
                self = .stuffed
            } else if left >= 2 {
                self = bytes[dot + 2] == UInt8(ascii: "\n") ? .ends : .stuffed
            } else {
                self = .unclear
            }
        }
    }
}

/// A message on its way in: what the trace header and the content are gathered in, up to a limit, and as long as the
/// server's budget has room. Past either it holds nothing and only counts.
struct ContentBuffer {
    private(set) var bytes: [UInt8]
    /// Content bytes seen, kept or not; without the trace header (RFC 1870 section 4).
    private(set) var size = 0
    let limit: Int
    let share: ContentBudget.Share
    /// There was no room for it.
    private(set) var isDropped = false

    init(header: [UInt8], limit: Int, budget: ContentBudget) {
        bytes = []
        self.limit = limit
        share = ContentBudget.Share(of: budget)
        if share.grow(to: header.count) { bytes = header } else { isDropped = true }
    }

    var isTooLarge: Bool { size > limit }

    mutating func append(_ content: RawSpan) {
        size += content.byteCount
        if isDropped { return }
        if isTooLarge || !share.grow(to: bytes.count + content.byteCount) {
            isDropped = true
            bytes = []
            share.release()
        } else {
            content.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
    }
}
