import ConnectionHandling
import MailTestSupport
import ReactorSMTP
import ReactorTesting
import Testing

/// What a server counts, for metrics.
@Suite struct StatisticsTests {
    private let server = SMTPServer(hostname: "mx.test", store: MemoryStore(), logger: quietLogger)

    @Test func countsSessionsMessagesAndRefusals() {
        let session = Session(server)
        session.exchange("EHLO a.test\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nRCPT TO:<c@b.test>\r\nRCPT TO:<bad>\r\nDATA\r\nx\r\n.\r\nXYZZY\r\n")
        var expected = SMTPServerStatistics()
        (expected.sessions, expected.openSessions) = (1, 1)
        (expected.messages, expected.recipients, expected.bytes, expected.refused) = (1, 2, 3, 2)
        #expect(server.statistics == expected)
        let other = Session(server)
        #expect(server.statistics.openSessions == 2)
        other.exchange("QUIT\r\n")
        other.driver.receiveEndOfInput()
        #expect(server.statistics.sessions == 2 && server.statistics.openSessions == 1)
    }

    /// What is said for now and for good stands apart, whoever says it.
    @Test func countsByTheClassOfTheCode() {
        let server = SMTPServer(hostname: "mx.test", store: MemoryStore(failing: .full("no room")), logger: quietLogger)
        let session = Session(server)
        session.exchange("EHLO a.test\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\nx\r\n.\r\nNOOP x\r\nRSET\r\nVRFY a\r\nRCPT TO:<b@b.test>\r\n")
        let statistics = server.statistics
        #expect(statistics.postponed == 1 && statistics.refused == 1 && statistics.messages == 0)
    }
}
