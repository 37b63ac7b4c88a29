import ConnectionHandling
import MailTestSupport
import ReactorSMTP
import ReactorTesting
import TestSupport
import Testing

/// Replies with random damage: nothing traps, and what comes out does not depend on how the input was cut.
@Suite struct MutationTests {
    @Test("client", arguments: UInt64(1)...300)
    func client(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let input = damaged(
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
