package import ReactorWire

/// A server's reply (RFC 5321 section 4.2): its code, and the text of each of its lines.
public struct SMTPReply: Equatable, Sendable, CustomStringConvertible {
    public let code: Int
    public let lines: [String]

    public init(code: Int, lines: [String]) {
        self.code = code
        self.lines = lines
    }

    var isPositive: Bool { code / 100 == 2 }

    /// What the first line begins with (RFC 2034), if its class is the code's own.
    var enhancedStatus: EnhancedStatusCode? {
        guard let word = lines.first?.split(separator: " ", maxSplits: 1).first else { return nil }
        let numbers = word.split(separator: ".", omittingEmptySubsequences: false).map { $0.utf8.count <= 3 ? UInt16($0) : nil }
        guard numbers.count == 3, let kind = numbers[0], let subject = numbers[1], let detail = numbers[2],
            Int(kind) == code / 100
        else { return nil }
        return EnhancedStatusCode(kind, subject, detail)
    }

    /// On one line, in printable ASCII, and short enough for a log and a queue listing.
    public var description: String {
        var text = "\(code)"
        for line in lines where !line.isEmpty { text += " " + line }
        return printable(text.utf8.prefix(512))
    }
}

/// What a peer said, as it may stand in a log: a line break or an escape sequence in it could pass for something else.
func printable(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.map { (32...126).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
}

/// Reads replies, strictly: lines end in CRLF, have three digits, and the lines of one reply have one code.
package struct ReplyParser {
    package enum Result: Equatable {
        case reply(SMTPReply, used: Int)
        /// More bytes are needed; `used` of these are done with.
        case incomplete(used: Int)
        /// What came is no reply, or too much of one.
        case violation(String)
    }

    private let maxLines: Int
    private var framing: LineFraming
    private var code = 0
    private var lines: [String] = []

    package init(limits: SMTPClientLimits) {
        maxLines = limits.replyLines
        framing = LineFraming(limit: limits.replyLine)
    }

    package mutating func next(in bytes: RawSpan, from start: Int) -> Result {
        var offset = start
        do throws(LineFraming.Violation) {
            while let frame = try framing.next(in: bytes, from: offset) {
                offset = frame.next
                let line = bytes.slice(frame.payload)
                guard let lineCode = Self.code(of: line), lines.isEmpty || lineCode == code else {
                    return .violation("not a reply: \(printable(line.slice(0..<min(line.byteCount, 80)).array))")
                }
                if lines.count == maxLines { return .violation("reply of too many lines") }
                code = lineCode
                lines.append(line.slice(min(4, line.byteCount)..<line.byteCount).text)
                if line.byteCount > 3, line[3] == UInt8(ascii: "-") { continue }
                defer { lines = [] }
                return .reply(SMTPReply(code: code, lines: lines), used: offset - start)
            }
            return .incomplete(used: offset - start)
        } catch {
            switch error {
            case .tooLong: return .violation("reply line too long")
            case .bareLineBreak: return .violation("bare CR or LF in a reply")
            }
        }
    }

    /// `%x32-35 %x30-35 %x30-39`, then nothing, a space or a hyphen.
    private static func code(of line: RawSpan) -> Int? {
        guard line.byteCount >= 3, (0x32...0x35).contains(line[0]), (0x30...0x35).contains(line[1]) else { return nil }
        if line.byteCount > 3, line[3] != UInt8(ascii: " "), line[3] != UInt8(ascii: "-") { return nil }
        return line.slice(0..<3).decimal
    }
}
