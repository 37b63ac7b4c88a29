import ConnectionHandling
import Foundation
import MailTestSupport
@testable import ReactorSMTP
import ReactorTesting
import Synchronization
import TestSupport
import Testing

/// Contents too large to be held in memory go to a file, a piece at a time.
@Suite(.timeLimit(.minutes(40))) struct StreamingTests {
    /// A store that makes files, and can be told to fail.
    final class FileStore: MessageStore {
        enum Fault { case none, noFile, full, broken }
        let directory: String
        let fault: Fault
        private let kept = Mutex<[(Envelope, MessageContent)]>([])
        let filesMade = Atomic(0)

        init(_ fault: Fault = .none) throws {
            directory = FileManager.default.temporaryDirectory.appending(path: "streaming-\(UUID())").path
            self.fault = fault
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: directory) }

        func makeContentFile(for id: QueueID) throws(MessageStoreError) -> ContentFile? {
            switch fault {
            case .none: break
            case .noFile: return nil
            case .full: throw .full("no room")
            case .broken: throw .failed("broken")
            }
            filesMade.add(1, ordering: .relaxed)
            do { return try ContentFile(creating: "\(directory)/\(id)") } catch { throw .failed("\(error)") }
        }

        func commit(_ envelope: Envelope, _ content: MessageContent, then: @escaping @Sendable (Result<Void, MessageStoreError>) -> Void) {
            kept.withLock { $0.append((envelope, content)) }
            then(.success(()))
        }

        var contents: [MessageContent] { kept.withLock { $0.map(\.1) } }
        func forget() { kept.withLock { $0.removeAll() } }
        var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] }
    }

    private static func limits(_ change: (inout SMTPServerLimits) -> Void = { _ in }) -> SMTPServerLimits {
        var limits = SMTPServerLimits()
        limits.contentInMemory = 1_000
        limits.headerSize = 500
        change(&limits)
        return limits
    }

    private func driver(_ store: FileStore, _ limits: SMTPServerLimits = limits()) -> (TestDriver, SMTPServer<FileStore>) {
        let server = SMTPServer(hostname: "mx.test", store: store, limits: limits, logger: quietLogger)
        let driver = TestDriver(SMTPServerHandler(server))
        driver.receive(Self.begin)
        _ = driver.takeOutput() as String
        return (driver, server)
    }

    private static let begin = "EHLO a.test\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\n"

    private func text(_ content: MessageContent) -> String {
        var bytes: [UInt8] = []
        try? content.read(from: 0, upTo: content.size, into: &bytes)
        return withoutTrace(bytes)
    }

    private static let body = "Subject: x\r\n\r\n" + (0..<2_000).map { "line \($0)\r\n" }.joined()

    @Test("a large message", arguments: Feeding.all)
    func large(_ feeding: Feeding) throws {
        for chunked in [false, true] {
            let store = try FileStore()
            let (driver, server) = driver(store)
            if chunked {
                let (front, back) = (Self.body.prefix(7_001), Self.body.dropFirst(7_001))
                feeding.feed(Array("BDAT \(front.utf8.count)\r\n\(front)BDAT \(back.utf8.count) LAST\r\n\(back)NOOP\r\n".utf8), to: driver)
            } else {
                feeding.feed(Array("DATA\r\n\(Self.body).\r\nNOOP\r\n".utf8), to: driver)
            }
            let replies = (driver.takeOutput() as String).split(separator: "\r\n")
            #expect(replies.count == 3 && replies[1].hasPrefix("250 2.0.0 queued as ") && replies[2] == "250 2.0.0 OK")
            let content = try #require(store.contents.first)
            guard case .file(let file) = content else { throw SMTPUsersError(line: 0) }
            #expect(text(content) == Self.body && file.size == content.size)
            #expect(store.filesMade.load(ordering: .relaxed) == 1)
            #expect(server.content.held == 0)
        }
    }

    @Test func whereTheLimitIs() throws {
        let store = try FileStore()
        let (driver, _) = driver(store)
        let begin = Self.begin.split(separator: "\r\n", maxSplits: 1)[1] + "DATA\r\n"
        driver.receive("DATA\r\nX: y\r\n\r\n.\r\n")
        let trace = try #require(store.contents.first).size - 8
        for (size, isFile) in [(1_000, false), (1_001, true)] {
            driver.receive("\(begin)X: y\r\n\r\n\(String(repeating: "x", count: size - trace - 10))\r\n.\r\n")
            let content = try #require(store.contents.last)
            #expect(content.size == size)
            if case .file = content { #expect(isFile) } else { #expect(!isFile) }
        }
    }

    /// What is held at any time does not depend on the message's size.
    @Test func memoryIsBounded() throws {
        let store = try FileStore()
        var limits = SMTPServerLimits()
        limits.messageSize = 60 << 20
        let (driver, server) = driver(store, limits)
        driver.receive("DATA\r\nSubject: x\r\n\r\n")
        let block = [UInt8](String(repeating: String(repeating: "x", count: 62) + "\r\n", count: 1_024).utf8)
        var most = 0
        for _ in 0..<800 {
            driver.receive(block)
            most = max(most, server.content.held)
        }
        driver.receive(".\r\n")
        #expect((driver.takeOutput() as String).contains("queued"))
        #expect(most <= limits.contentInMemory + 64 * 1024, "\(most) bytes held")
        #expect(try #require(store.contents.first).size > 50 << 20)
    }

    @Test("hops are counted in the header of a large one, not in its body", arguments: [(100, "250 2.0.0"), (101, "554 5.4.6")])
    func hops(_ count: Int, _ code: String) throws {
        let store = try FileStore()
        let (driver, server) = driver(store, Self.limits { $0.headerSize = 100_000 })
        let fields = String(repeating: "Received: by x\r\n", count: count)
        driver.receive("DATA\r\n\(fields)\r\n\(fields)\(Self.body).\r\n")
        #expect((driver.takeOutput() as String).split(separator: "\r\n").last?.hasPrefix(code) == true)
        #expect(server.content.held == 0)
    }

    @Test func submittedFieldsAreAddedBeforeTheHeaderIsWritten() throws {
        let store = try FileStore()
        var options = SMTPServerOptions()
        options.service = .submission
        let server = SMTPServer(hostname: "mx.test", store: store, limits: Self.limits(), options: options, logger: quietLogger)
        let driver = TestDriver(SMTPServerHandler(server))
        Feeding.random(seed: 5).feed(Array("\(Self.begin)DATA\r\n\(Self.body).\r\n".utf8), to: driver)
        let stored = text(try #require(store.contents.first))
        #expect(stored.hasPrefix("Subject: x\r\nDate: Sun, 06 Nov 1994 08:49:37 +0000\r\nMessage-ID: <784111777."))
        #expect(stored.hasSuffix(String(Self.body.dropFirst(12))))
    }

    @Test func aStoreWithoutFilesGetsItInMemory() throws {
        let store = try FileStore(.noFile)
        let (driver, server) = driver(store)
        Feeding.random(seed: 3).feed(Array("DATA\r\n\(Self.body).\r\n".utf8), to: driver)
        guard case .bytes = try #require(store.contents.first) else { throw SMTPUsersError(line: 0) }
        #expect(text(try #require(store.contents.first)) == Self.body)
        #expect(server.content.held == 0)
    }

    @Test("a store that cannot", arguments: [(FileStore.Fault.full, "452 4.3.1"), (.broken, "451 4.3.0")], [false, true])
    func fails(_ given: (fault: FileStore.Fault, code: String), _ chunked: Bool) throws {
        let store = try FileStore(given.fault)
        let (driver, server) = driver(store)
        driver.receive(chunked ? "BDAT \(Self.body.utf8.count) LAST\r\n\(Self.body)NOOP\r\n" : "DATA\r\n\(Self.body).\r\nNOOP\r\n")
        let replies = (driver.takeOutput() as String).split(separator: "\r\n").suffix(2)
        #expect(replies.first?.hasPrefix(given.code) == true && replies.last == "250 2.0.0 OK")
        #expect(server.content.held == 0 && store.contents.isEmpty)
    }

    @Test("a file of which nothing comes is removed", arguments: ["end", "reset", "malformed", "too large", "RSET", "timeout"])
    func removed(_ end: String) throws {
        let store = try FileStore()
        let (driver, server) = driver(store, Self.limits { $0.messageSize = 30_000 })
        driver.receive((end == "RSET" ? "BDAT \(Self.body.utf8.count)\r\n" : "DATA\r\n") + Self.body)
        #expect(store.files.count == 1 && server.content.held == 0, "what is in the file is not in memory")
        switch end {
        case "end": driver.receiveEndOfInput()
        case "reset": driver.reset()
        case "malformed": driver.receive("a\nb\r\n.\r\n")
        case "too large": driver.receive(Self.body)
        case "RSET": driver.receive("RSET\r\n")
        default: driver.advance(by: .seconds(300))
        }
        #expect(store.files.isEmpty && server.content.held == 0)
        #expect(store.contents.isEmpty)
    }
}
