import ConnectionHandling
import ReactorWire

/// SMTP sessions that stay open (RFC 5321), one transaction after another: a message is a request. The envelope goes in one
/// write where the server offers PIPELINING (RFC 2920).
final class SMTPDialogue: Dialogue {
    private enum State { case greeting, hello, idle, mail, recipient, data, verdict, lost }

    private let mail: SMTPMail
    private var state = State.greeting
    private var pipelines = false

    /// A reply's line has 512 bytes at most; servers exceed it.
    private static let longestLine = 4 * 1024

    init(_ mail: SMTPMail) { self.mail = mail }

    override var isReady: Bool { state != .greeting && state != .hello }
    override var mayContinue: Bool { state != .lost }

    override func begin(on connection: inout Connection) { (state, pipelines) = (.greeting, false) }

    override func write(on connection: inout Connection) {
        connection.write(pipelines ? mail.envelope : mail.sender)
        state = .mail
    }

    override func isFarewell(_ bytes: RawSpan) -> Bool {
        bytes.byteCount >= 3 && bytes.slice(0..<3).equals("421")
    }

    override func read(_ bytes: RawSpan, from offset: inout Int, on connection: inout Connection) -> Step {
        while let lineFeed = bytes.firstIndex(of: UInt8(ascii: "\n"), from: offset) {
            let start = offset
            offset = lineFeed + 1
            guard lineFeed - start >= 4, lineFeed - start < Self.longestLine, bytes[lineFeed - 1] == UInt8(ascii: "\r"),
                let code = bytes.slice(start..<start + 3).decimal, (200..<600).contains(code)
            else { return complain("no SMTP reply", .broken) }
            let text = bytes.slice(min(start + 4, lineFeed - 1)..<lineFeed - 1)
            if state == .hello && text.equalsIgnoringCase("pipelining") { pipelines = true }
            if lineFeed - start > 4, bytes[start + 3] == UInt8(ascii: "-") { continue }
            let step = take(code, on: &connection)
            if step != .incomplete { return step }
        }
        return bytes.byteCount - offset >= Self.longestLine ? complain("an endless line", .broken) : .incomplete
    }

    private func take(_ code: Int, on connection: inout Connection) -> Step {
        switch (state, code) {
        case (.greeting, 220):
            connection.write("EHLO localhost\r\n")
            state = .hello
            return .incomplete
        case (.hello, 250):
            state = .idle
            return .ready
        case (.greeting, _), (.hello, _):
            return complain("reply \(code)", .unserved)
        case (.mail, 250), (.mail, 251):
            if !pipelines { connection.write(mail.recipient) }
            state = .recipient
            return .incomplete
        case (.recipient, 250), (.recipient, 251):
            if !pipelines { connection.write("DATA\r\n") }
            state = .data
            return .incomplete
        case (.data, 354):
            connection.write(mail.content)
            state = .verdict
            return .incomplete
        case (.verdict, 200..<300):
            state = .idle
            return .answered
        case (.verdict, _):
            state = code == 421 ? .lost : .idle
            return complain("reply \(code) to the message", .refused)
        case (.mail, _), (.recipient, _), (.data, _):
            // Replies to what was sent behind are still to come: a new session is the shortest way out.
            state = .lost
            return complain("reply \(code) to the envelope", .refused)
        case (.idle, _), (.lost, _):
            return complain("a reply to nothing", .broken)
        }
    }

    private func complain(_ what: String, _ step: Step) -> Step {
        complaint = what
        return step
    }
}

/// The message that every session of a load sends, and its envelope.
final class SMTPMail {
    static let defaultSize = 4_096

    let sender: SharedBytes
    let recipient: SharedBytes
    let envelope: SharedBytes
    /// With the dot behind it.
    let content: SharedBytes

    init(_ plan: LoadPlan) {
        let (from, to) = ("MAIL FROM:<\(plan.mailFrom)>\r\n", "RCPT TO:<\(plan.mailTo)>\r\n")
        sender = SharedBytes(from)
        recipient = SharedBytes(to)
        envelope = SharedBytes(from + to + "DATA\r\n")
        let size = plan.size ?? Self.defaultSize
        var text = Array("From: <\(plan.mailFrom)>\r\nTo: <\(plan.mailTo)>\r\nSubject: load\r\n\r\n".utf8)
        // Lines of 78, the last as long as it must be; no line begins with a dot.
        while text.count < size {
            let left = size - text.count
            let line = left >= 160 ? 78 : max(left - 2, 0) <= 78 ? max(left - 2, 0) : left / 2 - 2
            text += [UInt8](repeating: UInt8(ascii: "x"), count: line) + [13, 10]
        }
        content = SharedBytes(copying: (text + Array(".\r\n".utf8)).span.bytes)
    }
}
