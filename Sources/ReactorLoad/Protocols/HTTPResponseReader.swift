import ReactorWire

/// Finds the ends of HTTP/1.1 responses (RFC 9112), strictly: what two readers could take for different messages is refused.
/// Lines are consumed as they are whole; of the fields only those that frame the message are looked into.
struct HTTPResponseReader {
    enum Step { case incomplete, message, broken }

    private enum State: UInt8 {
        case statusLine, fields, body, untilEnd
        case chunkSize, chunk, chunkEnd, trailers
    }

    /// The request was HEAD: the answer has no body, whatever its fields say.
    var answersHead = false
    /// Keeps the body, for whoever looks into it.
    var gathers = false
    private(set) var gathered: [UInt8] = []
    private(set) var status = 0
    /// Another response may follow on the connection.
    private(set) var keepsAlive = true

    private var state = State.statusLine
    private var isOld = false
    private var isChunked = false
    private var length: Int?
    private var remaining = 0
    /// Bytes of the head, of chunk lines or of trailers so far.
    private var lines = 0
    private var interim = 0

    private static let mostInterim = 100
    /// A body that is looked into is kept in memory.
    private static let largestGathered = 16 << 20
    /// A head, and all that is said about chunks between two of them.
    private static let longestHead = 64 * 1024

    /// Reads from `offset`, which is moved behind what is done with.
    mutating func next(in bytes: RawSpan, from offset: inout Int) -> Step {
        while true {
            switch state {
            case .statusLine, .fields, .chunkSize, .trailers:
                guard let lineFeed = bytes.firstIndex(of: UInt8(ascii: "\n"), from: offset) else {
                    return lines + bytes.byteCount - offset > Self.longestHead ? .broken : .incomplete
                }
                let start = offset
                guard lineFeed > start, bytes[lineFeed - 1] == UInt8(ascii: "\r") else { return .broken }
                offset = lineFeed + 1
                lines += offset - start
                if lines > Self.longestHead { return .broken }
                switch take(bytes, start, lineFeed - 1) {
                case .incomplete: continue
                case .message: return finish()
                case .broken: return .broken
                }
            case .body, .chunk, .untilEnd:
                let count = state == .untilEnd ? bytes.byteCount - offset : min(remaining, bytes.byteCount - offset)
                if gathers {
                    if gathered.count + count > Self.largestGathered { return .broken }
                    gathered += bytes.slice(offset..<offset + count).array
                }
                offset += count
                if state == .untilEnd { return .incomplete }
                remaining -= count
                if remaining > 0 { return .incomplete }
                if state == .body { return finish() }
                state = .chunkEnd
            case .chunkEnd:
                guard bytes.byteCount - offset >= 2 else { return .incomplete }
                guard bytes[offset] == UInt8(ascii: "\r"), bytes[offset + 1] == UInt8(ascii: "\n") else { return .broken }
                offset += 2
                (state, lines) = (.chunkSize, 0)
            }
        }
    }

    /// The connection has ended, and the message with it, if nothing else says where it ends.
    mutating func end() -> Step { state == .untilEnd ? finish() : .incomplete }

    private mutating func finish() -> Step {
        state = .statusLine
        lines = 0
        interim = 0
        return .message
    }

    /// A line without its CRLF. `incomplete`: the message goes on.
    @inline(__always) private mutating func take(_ bytes: RawSpan, _ start: Int, _ end: Int) -> Step {
        switch state {
        case .statusLine: return takeStatusLine(bytes, start, end) ? .incomplete : .broken
        case .fields:
            if start == end { return endHead() }
            return takeField(bytes, start, end) ? .incomplete : .broken
        case .chunkSize: return takeChunkSize(bytes, start, end) ? .incomplete : .broken
        default: return start == end ? .message : .incomplete
        }
    }

    private mutating func takeStatusLine(_ bytes: RawSpan, _ start: Int, _ end: Int) -> Bool {
        guard end - start >= 12, bytes.slice(start..<start + 7).equals("HTTP/1."), bytes[start + 8] == UInt8(ascii: " "),
            let code = bytes.slice(start + 9..<start + 12).decimal, (100..<600).contains(code),
            end - start == 12 || bytes[start + 12] == UInt8(ascii: " ")
        else { return false }
        let version = bytes[start + 7]
        guard version == UInt8(ascii: "1") || version == UInt8(ascii: "0") else { return false }
        status = code
        isOld = version == UInt8(ascii: "0")
        keepsAlive = !isOld
        isChunked = false
        length = nil
        if gathers { gathered.removeAll(keepingCapacity: true) }
        state = .fields
        return true
    }

    private mutating func takeField(_ bytes: RawSpan, _ start: Int, _ end: Int) -> Bool {
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":"), from: start), colon > start, colon < end,
            !Self.isSpace(bytes[start]), !Self.isSpace(bytes[colon - 1])
        else { return false }
        // The lengths of those that matter; no other is compared.
        let count = colon - start
        guard count == 14 || count == 10 || count == 17 else { return true }
        let name = bytes.slice(start..<colon)
        var (first, last) = (colon + 1, end)
        while first < last, Self.isSpace(bytes[first]) { first += 1 }
        while last > first, Self.isSpace(bytes[last - 1]) { last -= 1 }
        let value = bytes.slice(first..<last)
        if count == 14, name.equalsIgnoringCase("content-length") {
            guard let given = value.decimal, length == nil || length == given else { return false }
            length = given
        } else if count == 17, name.equalsIgnoringCase("transfer-encoding") {
            guard value.equalsIgnoringCase("chunked"), !isChunked, !isOld else { return false }
            isChunked = true
        } else if count == 10, name.equalsIgnoringCase("connection") {
            if Self.has("close", in: value) { keepsAlive = false } else if Self.has("keep-alive", in: value) { keepsAlive = true }
        }
        return true
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    /// Whether a list with commas has the word.
    private static func has(_ word: StaticString, in list: RawSpan) -> Bool {
        var start = 0
        while start < list.byteCount {
            let comma = list.firstIndex(of: UInt8(ascii: ","), from: start) ?? list.byteCount
            var (first, last) = (start, comma)
            while first < last, isSpace(list[first]) { first += 1 }
            while last > first, isSpace(list[last - 1]) { last -= 1 }
            if list.slice(first..<last).equalsIgnoringCase(word) { return true }
            start = comma + 1
        }
        return false
    }

    private mutating func endHead() -> Step {
        if status < 200 {
            // What comes first is not the answer; nobody asked for another protocol.
            if status == 101 { return .broken }
            interim += 1
            (state, lines) = (.statusLine, 0)
            return interim > Self.mostInterim ? .broken : .incomplete
        }
        if isChunked && length != nil { return .broken }
        if answersHead || status == 204 || status == 304 { return .message }
        if isChunked {
            (state, lines) = (.chunkSize, 0)
            return .incomplete
        }
        guard let length else {
            keepsAlive = false
            state = .untilEnd
            return .incomplete
        }
        if length == 0 { return .message }
        remaining = length
        state = .body
        return .incomplete
    }

    private mutating func takeChunkSize(_ bytes: RawSpan, _ start: Int, _ end: Int) -> Bool {
        var (size, index) = (0, start)
        while index < end, let digit = Self.digit(bytes[index]) {
            // Fifteen digits are more than anybody sends, and fit.
            if index - start == 15 { return false }
            size = size * 16 + digit
            index += 1
        }
        guard index > start, index == end || bytes[index] == UInt8(ascii: ";") || Self.isSpace(bytes[index]) else { return false }
        remaining = size
        state = size == 0 ? .trailers : .chunk
        return true
    }

    private static func digit(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte) - 0x30
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte) - 0x57
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte) - 0x37
        default: nil
        }
    }
}
