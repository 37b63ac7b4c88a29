import ConnectionHandling
import MailTestSupport
import ReactorSMTP
import ReactorTesting
import TestSupport
import Testing

/// Sessions with random damage: nothing traps, and what comes out does not depend on how the input was cut.
@Suite struct MutationTests {
    @Test("server", arguments: UInt64(1)...300)
    func server(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let input = damaged(
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
}
