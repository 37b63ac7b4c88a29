import ConnectionHandling
import Foundation
import Glibc
import Logging
import Reactor
import ReactorSMTP
import Synchronization
import TestSupport

/// A next hop in the test's own process: takes every message and remembers it, and can go down and come up again.
final class MailSink: Sendable {
    /// A message, and when it was taken.
    struct Delivery {
        let envelope: Envelope
        let content: String
        let subject: String
        let at = ContinuousClock.now

        init(_ envelope: Envelope, _ bytes: [UInt8]) {
            self.envelope = envelope
            content = String(decoding: bytes, as: UTF8.self)
            let header = String(decoding: bytes.prefix(4096), as: UTF8.self)
            subject = header.components(separatedBy: "\r\n").first { $0.hasPrefix("Subject: ") }.map { String($0.dropFirst(9)) } ?? ""
        }
    }

    let address: SocketAddress
    private let messages: Messages
    private let thread: Mutex<LoopThread<SocketAddress>?>

    init() throws {
        messages = Messages()
        let thread = try Self.serve(.loopback(port: 0), messages)
        address = thread.made
        self.thread = Mutex(thread)
    }

    /// At a path, which nobody else takes while this is down; down at first.
    init(path: String) throws {
        messages = Messages()
        address = try SocketAddress(parsing: "unix:" + path)
        thread = Mutex(nil)
    }

    deinit { goDown() }

    /// Connections that are open break off, whatever they carry.
    func goDown() {
        thread.withLock {
            $0?.stop()
            $0 = nil
        }
    }

    func comeUp() throws {
        // The loop that was stopped closes its listener in a moment, and takes its path with it.
        for attempt in 0... {
            do {
                let thread = try Self.serve(address, messages)
                return self.thread.withLock { $0 = thread }
            } catch {
                if attempt == 200 { throw error }
                usleep(10_000)
            }
        }
    }

    private static func serve(_ address: SocketAddress, _ messages: Messages) throws -> LoopThread<SocketAddress> {
        let server = SMTPServer(hostname: "sink.test", store: DiscardingStore { messages.add($0, $1) }, logger: .silent)
        return try LoopThread { loop in try loop.listen(on: address, makeHandler: { SMTPServerHandler(server) }).address }
    }

    /// The messages received, in order.
    var deliveries: [Delivery] { messages.all }
    /// Their subjects.
    var delivered: [String] { deliveries.map(\.subject) }
    var contents: [String] { deliveries.map(\.content) }

    /// The subjects, once there are so many different ones, or after so many seconds.
    func wait(for count: Int, seconds: Double = 30) -> [String] {
        for _ in 0..<Int(seconds * 50) where messages.different < count { usleep(20_000) }
        return delivered
    }
}

private final class Messages: Sendable {
    private let messages = Mutex<(all: [MailSink.Delivery], subjects: Set<String>)>(([], []))
    var all: [MailSink.Delivery] { messages.withLock { $0.all } }
    var different: Int { messages.withLock { $0.subjects.count } }

    func add(_ envelope: Envelope, _ content: MessageContent) {
        var bytes: [UInt8] = []
        try? content.read(from: 0, upTo: content.size, into: &bytes)
        let delivery = MailSink.Delivery(envelope, bytes)
        messages.withLock {
            $0.all.append(delivery)
            $0.subjects.insert(delivery.subject)
        }
    }
}

extension Logger {
    static var silent: Logger { Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() } }
}
