import ConnectionHandling
import ReactorSMTP
import ReactorTesting
import Synchronization
import TestSupport
import Testing

/// A store that keeps messages in memory, and can be told to fail.
final class MemoryStore: MessageStore {
    private let kept = Mutex<[(Envelope, [UInt8])]>([])
    private let failure: MessageStoreError?

    init(failing failure: MessageStoreError? = nil) { self.failure = failure }

    func commit(
        _ envelope: Envelope, _ content: MessageContent, then: @escaping @Sendable (Result<Void, MessageStoreError>) -> Void
    ) {
        if let failure { return then(.failure(failure)) }
        var bytes: [UInt8] = []
        try? content.read(from: 0, upTo: content.size, into: &bytes)
        kept.withLock { $0.append((envelope, bytes)) }
        then(.success(()))
    }

    var messages: [(envelope: Envelope, content: [UInt8])] { kept.withLock { $0.map { ($0.0, $0.1) } } }
    /// What the clients sent: contents without our trace header, which is the first three or four lines.
    var bodies: [String] { messages.map { withoutTrace($0.content) } }
}

/// The content without its first header field.
func withoutTrace(_ content: [UInt8]) -> String {
    var lines = String(decoding: content, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
    #expect(lines.first?.hasPrefix("Received: from ") == true)
    lines.removeFirst()
    while lines.first?.hasPrefix("\t") == true { lines.removeFirst() }
    return lines.joined(separator: "\r\n")
}

/// A server to talk to, and its store.
struct Session {
    let store: MemoryStore
    let driver: TestDriver

    init(
        peer: SocketAddress = .loopback(port: 40_000), relay: RelayPolicy = .local,
        limits: SMTPServerLimits = SMTPServerLimits(), store: MemoryStore = MemoryStore()
    ) {
        self.store = store
        driver = TestDriver(
            SMTPServerHandler(
                SMTPServer(hostname: "mx.test", store: store, relay: relay, limits: limits, logger: quietLogger)),
            peer: peer)
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
        limits: SMTPServerLimits = SMTPServerLimits(), store: MemoryStore = MemoryStore()
    ) -> Session {
        let session = Session(peer: peer, relay: relay, limits: limits, store: store)
        session.exchange("EHLO client.test\r\n")
        return session
    }

    /// Behind DATA and its 354.
    static func inData(limits: SMTPServerLimits = SMTPServerLimits(), store: MemoryStore = MemoryStore()) -> Session {
        let session = Session.greeted(limits: limits, store: store)
        session.exchange("MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n")
        return session
    }
}
