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
    /// Of a line, without its CRLF, in bytes.
    private(set) var longestLine = 0
    private var lineLength = 0
    private var atLineStart = true
    /// A CR or LF that stands alone is made CRLF, and is no fault.
    private let normalizes: Bool
    /// The line before ended in a LF alone. Who writes lines so doubles the dots of those lines, too.
    private var isBehindBareLineFeed = false

    init(normalizing: Bool = false) { normalizes = normalizing }

    /// Decodes what is there, and passes content to `content`, in order.
    ///
    /// - Returns: how many bytes were used, and whether the message ended with the last of them. At most two bytes are
    ///   left, which mean nothing without the next one: offer them again with more behind them.
    mutating func decode(
        _ bytes: RawSpan, from start: Int, into content: inout IncomingContent
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
            if isBehindBareLineFeed, bytes[position] == UInt8(ascii: ".") {
                content.append(bytes.slice(run..<position))
                run = position
                if position + 1 == end { return (position - start, false) }
                if bytes[position + 1] == UInt8(ascii: ".") { run += 1 }
            }
            isBehindBareLineFeed = false
            guard let lineFeed = bytes.firstIndex(of: UInt8(ascii: "\n"), from: position) else {
                let stop = bytes[end - 1] == UInt8(ascii: "\r") ? end - 1 : end
                if stop > position { atLineStart = false }
                lineLength += stop - position
                longestLine = max(longestLine, lineLength)
                take(position, stop, in: bytes, run: &run, into: &content)
                content.append(bytes.slice(run..<stop))
                return (stop - start, false)
            }
            atLineStart = lineFeed > position && bytes[lineFeed - 1] == UInt8(ascii: "\r")
            let textEnd = atLineStart ? lineFeed - 1 : lineFeed
            longestLine = max(longestLine, lineLength + textEnd - position)
            lineLength = 0
            take(position, textEnd, in: bytes, run: &run, into: &content)
            if !atLineStart {
                takeBareLineFeed(at: lineFeed, in: bytes, run: &run, into: &content)
            }
            position = lineFeed + 1
        }
        content.append(bytes.slice(run..<end))
        return (end - start, false)
    }

    /// Text of a line, in which no CR may stand. It becomes part of the run, unless it has to be changed.
    private mutating func take(
        _ from: Int, _ to: Int, in bytes: RawSpan, run: inout Int, into content: inout IncomingContent
    ) {
        var next = from
        while let carriageReturn = bytes.slice(0..<to).firstIndex(of: UInt8(ascii: "\r"), from: next) {
            guard normalizes else { return isMalformed = true }
            content.append(bytes.slice(run..<carriageReturn))
            content.append(crlf.span.bytes)
            next = carriageReturn + 1
            run = next
        }
    }

    private mutating func takeBareLineFeed(at lineFeed: Int, in bytes: RawSpan, run: inout Int, into content: inout IncomingContent) {
        guard normalizes else { return isMalformed = true }
        content.append(bytes.slice(run..<lineFeed))
        content.append(crlf.span.bytes)
        run = lineFeed + 1
        isBehindBareLineFeed = true
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

/// What made of bare line ends is.
private let crlf: [UInt8] = [13, 10]

/// Checks the lines of a content that comes in chunks (RFC 3030), where nothing has to be undone.
struct LineChecker {
    private(set) var isMalformed = false
    private(set) var longestLine = 0
    private var lineLength = 0
    private var endsInReturn = false

    mutating func check(_ text: RawSpan) {
        if text.isEmpty { return }
        var start = 0
        if endsInReturn {
            if text[0] == UInt8(ascii: "\n") { start = 1 } else { isMalformed = true }
        }
        endsInReturn = text[text.byteCount - 1] == UInt8(ascii: "\r")
        let end = endsInReturn ? text.byteCount - 1 : text.byteCount
        if start > 0 { lineLength = 0 }
        while start < end {
            let lineFeed = text.slice(0..<end).firstIndex(of: UInt8(ascii: "\n"), from: start)
            var stop = lineFeed ?? end
            if lineFeed != nil {
                if stop > start, text[stop - 1] == UInt8(ascii: "\r") { stop -= 1 } else { isMalformed = true }
            }
            if text.slice(start..<stop).firstIndex(of: UInt8(ascii: "\r")) != nil { isMalformed = true }
            lineLength += stop - start
            longestLine = max(longestLine, lineLength)
            guard let lineFeed else { return }
            lineLength = 0
            start = lineFeed + 1
        }
    }

    /// The content is whole: a CR at its end stands alone.
    mutating func finish() { if endsInReturn { isMalformed = true } }
}
