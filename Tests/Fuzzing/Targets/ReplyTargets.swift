import ReactorSMTP
import ReactorTesting
import ReactorWire

extension FuzzTarget {
    /// What a server says to a mail client: the first byte chooses what the client wants of it.
    static let replies = FuzzTarget(name: "replies") { input in
        if input.isEmpty { return }
        let said = input.slice(1..<input.byteCount)
        parseReplies(said)
        // Line by line, since it matters what was written before a reply came; each of them whole, and byte by byte.
        let whole = ReplyConversation(choice: input[0])
        let cut = ReplyConversation(choice: input[0])
        for line in lines(of: said.bytes) {
            whole.driver.receive(line)
            for byte in line { cut.driver.receive([byte]) }
        }
        expectEqual(whole.result, cut.result, "what came of it")
        // All at once it may end otherwise, and ends well.
        let once = ReplyConversation(choice: input[0])
        once.driver.receive(said.bytes)
        _ = once.result
        parseAuthentication(said)
    }

    /// The same replies, however they are cut.
    private static func parseReplies(_ said: RawSpan) {
        var parser = ReplyParser(limits: SMTPClientLimits())
        var whole: [ReplyParser.Result] = []
        var offset = 0
        parsing: while true {
            let result = parser.next(in: said, from: offset)
            switch result {
            case .reply(let reply, let used):
                precondition(reply.lines.count <= SMTPClientLimits().replyLines, "more lines than the limit")
                offset += used
                whole.append(.reply(reply, used: 0))
            case .incomplete: break parsing
            case .violation:
                whole.append(result)
                break parsing
            }
        }
        expectEqual(repliesByteByByte(said), whole, "replies")
    }

    private static func repliesByteByByte(_ said: RawSpan) -> [ReplyParser.Result] {
        var parser = ReplyParser(limits: SMTPClientLimits())
        var found: [ReplyParser.Result] = []
        var start = 0
        for end in 0..<said.byteCount {
            switch parser.next(in: said.slice(start..<end + 1), from: 0) {
            case .reply(let reply, let used):
                start += used
                found.append(.reply(reply, used: 0))
            case .incomplete(let used): start += used
            case .violation(let what): return found + [.violation(what)]
            }
        }
        return found
    }

    /// Challenges, and base64, which has one spelling for all bytes.
    private static func parseAuthentication(_ said: RawSpan) {
        if let decoded = Base64.decode(said) { expectEqual(Base64.encode(decoded), said.text, "base64") }
        let client = SCRAMClient(SMTPCredentials(user: "u", password: "p"), nonce: "", iterations: 1...3)
        guard let proof = try? client.proof(for: said.text) else { return }
        precondition(!proof.isAnswered(by: said.text), "the server's first message is no proof")
    }

    private static func lines(of bytes: [UInt8]) -> [[UInt8]] {
        bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Array($0) + Array("\n".utf8) }
    }
}

/// A client with three messages to deliver.
private struct ReplyConversation {
    let driver: TestDriver
    private let source: CountingSource

    init(choice: UInt8) {
        source = CountingSource((0..<3).map { Self.message($0, isBinary: choice & 4 != 0) })
        var options = SMTPClientOptions()
        options.isLMTP = choice & 1 != 0
        // Not SCRAM, whose nonce is another each time.
        if choice & 2 != 0 { options.credentials = SMTPCredentials(user: "u", password: "p") }
        options.authenticatesInPlain = true
        options.remoteName = "next.test"
        driver = TestDriver(SMTPClientHandler(hostname: "client.test", source: source, options: options))
        driver.receive("220 hi\r\n")
        if choice & 8 != 0 { driver.receive("250-next\r\n250-PIPELINING\r\n250-AUTH LOGIN\r\n250-BINARYMIME\r\n250-CHUNKING\r\n250 DSN\r\n") }
    }

    private static func message(_ number: Int, isBinary: Bool) -> OutgoingMessage {
        let content = isBinary ? "\n\r.\r\n" : ".x\r\n"
        let addresses = ["b@b.test", "c@b.test", "none"]
        return OutgoingMessage(
            number: Int64(number),
            envelope: Envelope(
                id: QueueID(text: "\(number)"), sender: "a@a.test", recipients: [], body: isBinary ? .binaryMIME : .sevenBit, received: 0),
            recipients: addresses.enumerated().map { .init(position: Int64($0), Envelope.Recipient($1)) },
            content: .bytes(Array(content.utf8)))
    }

    /// The server goes away, and everything must have an end.
    var result: String {
        driver.receiveEndOfInput()
        precondition(driver.closed != nil, "a session without an end")
        return "\(driver.takeOutput() as String) \(source.result)"
    }
}

/// Hands out messages, and sees that it is told of each once.
private final class CountingSource: DeliverySource {
    private var waiting: [OutgoingMessage]
    private var taken = 0
    private var outcomes: [[DeliveryOutcome]] = []
    private var end: SMTPClientEnd?

    init(_ messages: [OutgoingMessage]) { waiting = messages }

    func nextMessage() -> OutgoingMessage? {
        if waiting.isEmpty { return nil }
        precondition(taken == outcomes.count, "a message is begun before another is over")
        taken += 1
        return waiting.removeFirst()
    }

    func nextHopWorks() {}

    func attempted(_ message: OutgoingMessage, _ outcomes: [DeliveryOutcome]) {
        precondition(outcomes.count == message.recipients.count, "an outcome for each")
        for outcome in outcomes {
            let text = outcome.report.text
            precondition(text.utf8.allSatisfy { (32...126).contains($0) } && text.utf8.count < 1_024, "a report's text: \(text)")
        }
        self.outcomes.append(outcomes)
    }

    func ended(_ end: SMTPClientEnd) {
        precondition(self.end == nil, "ended twice")
        self.end = end
    }

    var result: String {
        precondition(end != nil && taken == outcomes.count, "a message, or the session, without its end")
        return "\(outcomes) \(String(describing: end))"
    }
}
