import ConnectionHandling
import MailTestSupport
import ReactorSMTP
import ReactorTesting
import TestSupport
import Testing

/// The client against the server, in memory: what the server stores must be what the client was given.
@Suite struct JoinedTests {
    @Test("every message arrives as it was", arguments: 1...20)
    func arrives(_ seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let messages = (0..<6).map { _ in Self.message(using: &random) }
        let store = MemoryStore()
        let server = TestDriver(
            SMTPServerHandler(SMTPServer(hostname: "mx.test", store: store, logger: quietLogger)))
        let source = ListSource(messages)
        let client = TestDriver(SMTPClientHandler(hostname: "client.test", source: source))

        var turns = 0
        while client.closed == nil, turns < 1_000_000 {
            turns += 1
            Self.carry(from: server, to: client, using: &random)
            Self.carry(from: client, to: server, using: &random)
        }
        #expect(source.end == .finished, "seed \(seed)")
        #expect(store.messages.count == messages.count)
        for (message, stored) in zip(messages, store.messages) {
            #expect(stored.envelope.sender == message.envelope.sender)
            #expect(stored.envelope.recipients.map(\.address) == message.recipients.map(\.address))
            #expect(stored.envelope.body == message.envelope.body)
            var content: [UInt8] = []
            try message.content.read(from: 0, upTo: .max, into: &content)
            // Behind the trace header.
            #expect(Array(stored.content.suffix(content.count)) == content, "seed \(seed)")
        }
        #expect(source.outcomes.allSatisfy { $0.allSatisfy { if case .delivered = $0 { true } else { false } } })
    }

    private static func carry(from: TestDriver, to: TestDriver, using random: inout SeededGenerator) {
        let bytes: [UInt8] = from.takeOutput()
        for piece in Feeding.random(seed: random.next()).pieces(of: bytes) { to.receive(Array(piece)) }
    }

    private static func message(using random: inout SeededGenerator) -> OutgoingMessage {
        let eightBit = Bool.random(using: &random)
        var content: [UInt8] = []
        for _ in 0..<Int.random(in: 0...200, using: &random) {
            content += Array(repeating: UInt8(ascii: "."), count: Int.random(in: 0...3, using: &random))
            for _ in 0..<Int.random(in: 0...90, using: &random) {
                let byte = UInt8.random(in: 0...(eightBit ? 255 : 127), using: &random)
                if byte != UInt8(ascii: "\r"), byte != UInt8(ascii: "\n") { content.append(byte) }
            }
            content += Array("\r\n".utf8)
        }
        let recipients = (0...Int.random(in: 0...30, using: &random)).map { Envelope.Recipient("r\($0)@b.test") }
        return outgoing(
            .bytes(content), from: Bool.random(using: &random) ? "" : "\"a b\"@a.test", to: recipients,
            body: eightBit ? .eightBitMIME : .sevenBit)
    }
}
