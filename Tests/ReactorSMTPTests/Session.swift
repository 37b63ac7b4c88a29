import ConnectionHandling
import Logging
import MailTestSupport
import ReactorSMTP
import ReactorTesting
import Synchronization
import TestSupport
import Testing

/// A server to talk to, and its store.
struct Session {
    let store: MemoryStore
    let driver: TestDriver

    init(
        peer: SocketAddress = .loopback(port: 40_000), relay: RelayPolicy = .local,
        limits: SMTPServerLimits = SMTPServerLimits(), options: SMTPServerOptions = SMTPServerOptions(),
        store: MemoryStore = MemoryStore(), logger: Logger = quietLogger
    ) {
        self.init(
            SMTPServer(hostname: "mx.test", store: store, relay: relay, limits: limits, options: options, logger: logger), peer: peer)
    }

    init(_ server: SMTPServer<MemoryStore>, peer: SocketAddress = .loopback(port: 40_000)) {
        store = server.store
        driver = TestDriver(SMTPServerHandler(server), peer: peer)
    }

    /// Sends the text and returns what came back, with queue ids made alike.
    @discardableResult
    func exchange(_ text: String, _ feeding: Feeding = .whole) -> String {
        feeding.feed(Array(text.utf8), to: driver)
        return output()
    }

    func output() -> String {
        (driver.takeOutput() as String).replacing(#/queued as [0-9B-Z]{13}/#, with: "queued as ID")
    }

    /// Only the reply codes, enhanced ones too where there are any.
    func codes(_ text: String, _ feeding: Feeding = .whole) -> [String] {
        exchange(text, feeding).split(separator: "\r\n").filter { !$0.dropFirst(3).hasPrefix("-") }.map { line in
            let words = line.split(separator: " ")
            let enhanced = words.count > 1 && words[1].wholeMatch(of: #/[245]\.\d+\.\d+/#) != nil
            return words.prefix(enhanced ? 2 : 1).joined(separator: " ")
        }
    }

    /// The greeting taken, EHLO said.
    static func greeted(
        peer: SocketAddress = .loopback(port: 40_000), relay: RelayPolicy = .local,
        limits: SMTPServerLimits = SMTPServerLimits(), options: SMTPServerOptions = SMTPServerOptions(),
        store: MemoryStore = MemoryStore()
    ) -> Session {
        let session = Session(peer: peer, relay: relay, limits: limits, options: options, store: store)
        session.exchange("EHLO client.test\r\n")
        return session
    }

    /// Behind DATA and its 354.
    static func inData(
        limits: SMTPServerLimits = SMTPServerLimits(), options: SMTPServerOptions = SMTPServerOptions(),
        store: MemoryStore = MemoryStore()
    ) -> Session {
        let session = Session.greeted(limits: limits, options: options, store: store)
        session.exchange("MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n")
        return session
    }
}
