import ConnectionHandling
import ReactorSMTP
import ReactorTesting
import TestSupport
import Testing

/// Sessions with random damage: nothing traps, and what comes out does not depend on how the input was cut.
@Suite struct MutationTests {
    private static func damaged(_ text: String, _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = Array(text.utf8)
        let pieces = ["\r\n", "\r", "\n", ".", "\r\n.\r\n", "\n.\n", "<", ">", " ", "\u{0}", "\u{E9}", "250-", "354 go\r\n", "DATA\r\n", "RSET\r\n"]
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let at = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes.remove(at: at)
            case 1: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 2: bytes.insert(contentsOf: Array(pieces.randomElement(using: &random)!.utf8), at: at)
            default:
                let end = min(bytes.count, at + Int.random(in: 1...40, using: &random))
                bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0..<bytes.count, using: &random))
            }
        }
        return bytes
    }

    @Test("server", arguments: UInt64(1)...300)
    func server(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let input = Self.damaged(
            "EHLO client.test\r\nMAIL FROM:<a@a.test> SIZE=50 BODY=8BITMIME\r\nRCPT TO:<b@b.test>\r\n"
                + "RCPT TO:<@r.test:\"c d\"@[IPv6:::1]>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\nbody\r\n.\r\nVRFY x\r\nNOOP\r\n"
                + "MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nDATA\r\n.\r\nRSET\r\nHELP\r\nQUIT\r\n", &random)
        let results = [Feeding.whole, .byteByByte, .random(seed: seed)].map { feeding in
            let session = Session()
            feeding.feed(input, to: session.driver)
            session.driver.receiveEndOfInput()
            #expect(session.driver.closed == .finished)
            return [session.output()] + session.store.bodies
        }
        #expect(results[0] == results[1] && results[0] == results[2], "seed \(seed)")
    }

    @Test("client", arguments: UInt64(1)...300)
    func client(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let input = Self.damaged(
            "220 hi\r\n250-next\r\n250-SIZE 1000\r\n250 \(Bool.random(using: &random) ? "PIPELINING" : "8BITMIME")\r\n"
                + "250 ok\r\n250 ok\r\n450 later\r\n354 go\r\n250 taken\r\n250 ok\r\n550 no\r\n503 x\r\n250 reset\r\n221 bye\r\n", &random)
        let lines = input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { Array($0) + Array("\n".utf8) }
        // Line by line, since it matters what was written before a reply came; and all at once, which may end otherwise.
        let results = [Feeding.whole, .byteByByte, .random(seed: seed), nil].map { (feeding: Feeding?) in
            let source = ListSource((0..<3).map { _ in outgoing("x\r\n.y\r\n", to: ["b@b.test", "c@c.test"]) })
            let driver = TestDriver(SMTPClientHandler(hostname: "client.test", source: source))
            if let feeding { lines.forEach { feeding.feed($0, to: driver) } } else { driver.receive(input) }
            driver.receiveEndOfInput()
            #expect(driver.closed == .finished || feeding == nil && driver.closed == .aborted)
            #expect(source.end != nil)
            #expect(source.outcomes.count + source.messages.count == 3, "every message taken has its outcome")
            return "\(driver.takeOutput() as String) \(source.outcomes) \(String(describing: source.end))"
        }
        #expect(results[0] == results[1] && results[0] == results[2], "seed \(seed)")
    }
}
