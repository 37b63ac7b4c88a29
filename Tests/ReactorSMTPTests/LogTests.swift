import ConnectionHandling
import Logging
import MailTestSupport
@testable import ReactorSMTP
import ReactorTesting
import Synchronization
import Testing

/// A message is found in the log by one id.
@Suite struct LogTests {
    private final class Lines: Sendable {
        let entries = Mutex<[(String, Logger.Metadata)]>([])
    }

    private struct Sink: LogHandler {
        let lines: Lines
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { lines.entries.withLock { $0.append(("\(event.message)", event.metadata ?? [:])) } }
    }

    @Test func oneIDForAMessage() throws {
        let lines = Lines()
        let session = Session(logger: Logger(label: "test") { _ in Sink(lines: lines) })
        session.exchange("EHLO a.test\r\nMAIL FROM:<a@a.test> ENVID=x\r\nRCPT TO:<bad>\r\nRCPT TO:<b@b.test>\r\nDATA\r\nx\r\n.\r\nXYZZY\r\n")
        let id = try #require(session.store.messages.first?.envelope.id)
        let entries = lines.entries.withLock { $0 }
        #expect(entries.map(\.0) == ["refused", "accepted", "refused"])
        #expect(entries[0].1["id"] == "\(id)" && entries[0].1["reply"] == "501 5.1.3 bad recipient address")
        #expect(
            entries[1].1 == [
                "id": "\(id)", "from": "<a@a.test>", "recipients": "1", "size": "3", "peer": "127.0.0.1:40000", "hello": "a.test", "envid": "x",
            ])
        #expect(entries[2].1["id"] == nil && entries[2].1["reply"] == "500 5.5.1 command not recognised")
    }

    @Test("names that would begin a line of their own", arguments: [
        "a\nb", "a\rb", "a\u{1B}[2Jb", "a\u{85}b", "a\u{2028}b", "a\u{202E}b", "a\u{7F}", String(repeating: "n", count: 256),
    ])
    func names(_ name: String) {
        let lines = Lines()
        var options = SMTPServerOptions()
        options.authenticator = SMTPUsers([name: SCRAMKeys(password: "x", iterations: 1)])
        options.authenticatesInPlain = true
        for exchange in [["AUTH PLAIN", "\0\(name)\0x"], ["AUTH LOGIN", name, "x"], ["AUTH SCRAM-SHA-256", "n,,n=\(name),r=abc", ""]] {
            let session = Session(options: options, logger: Logger(label: "test") { _ in Sink(lines: lines) })
            session.exchange("EHLO a.test\r\n\(exchange[0])\r\n")
            let replies = exchange.dropFirst().map { session.exchange("\(Base64.encode(Array($0.utf8)))\r\n") }
            #expect(replies[0].hasPrefix("535 5.7.8"))
        }
        #expect(lines.entries.withLock { $0.allSatisfy { ($0.1["user"] ?? "") == "" } })
    }

    /// What each of thousands of idle sessions costs beside its connection.
    @Test func anIdleSessionIsSmall() {
        #expect(MemoryLayout<SMTPServerHandler<MemoryStore>>.size <= 96)
    }

    @Test func queueIDs() {
        let ids = (0..<1_000).map { _ in QueueID.random().text }
        #expect(Set(ids).count == 1_000)
        #expect(ids.allSatisfy { $0.wholeMatch(of: #/[0-9B-DF-HJ-NP-TV-Z]{13}/#) != nil })
    }
}
