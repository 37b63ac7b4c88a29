import ConnectionHandling
import Foundation
import Glibc
import Logging
import Reactor
import ReactorSMTP
import Synchronization
import TestSupport

/// A next hop in the test's own process: takes every message and remembers it.
final class MailSink: Sendable {
    let address: SocketAddress
    private let loop: EventLoopHandle

    init() throws {
        final class Started: Sendable { let value = Mutex<(SocketAddress, EventLoopHandle)?>(nil) }
        let started = Started()
        let messages = Messages()
        try startThread {
            guard let loop = try? EventLoop() else { return }
            let store = DiscardingStore { _, content in messages.add(content) }
            let server = SMTPServer(hostname: "sink.test", store: store, logger: .silent)
            guard let listener = try? loop.listen(on: .loopback(port: 0), makeHandler: { SMTPServerHandler(server) }) else { return }
            started.value.withLock { $0 = (listener.address, loop.handle) }
            loop.run()
            loop.close()
        }
        for _ in 0..<500 where started.value.withLock({ $0 == nil }) { usleep(10_000) }
        guard let (address, loop) = started.value.withLock({ $0 }) else { throw EventLoopStopped() }
        self.address = address
        self.loop = loop
        received = messages
    }

    deinit { loop.stop() }

    private let received: Messages

    /// The subjects of the messages received, in order.
    var delivered: [String] { received.subjects }
    /// The messages received, in order.
    var contents: [String] { received.all }

    func wait(for count: Int, seconds: Double = 30) -> [String] {
        for _ in 0..<Int(seconds * 50) where Set(delivered).count < count { usleep(20_000) }
        return delivered
    }
}

private final class Messages: Sendable {
    private let messages = Mutex<[String]>([])
    var all: [String] { messages.withLock { $0 } }
    var subjects: [String] {
        all.map { message in
            message.components(separatedBy: "\r\n").first { $0.hasPrefix("Subject: ") }.map { String($0.dropFirst(9)) } ?? ""
        }
    }
    func add(_ content: [UInt8]) { messages.withLock { $0.append(String(decoding: content, as: UTF8.self)) } }
}

extension Logger {
    static var silent: Logger { Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() } }
}
