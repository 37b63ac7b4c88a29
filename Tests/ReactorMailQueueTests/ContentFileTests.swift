import Foundation
import Glibc
@testable import ReactorMailQueue
import ReactorSMTP
import TestSupport
import Testing

/// Contents that stay in files.
@Suite(.timeLimit(.minutes(40))) struct ContentFileTests {
    private let directory: TemporaryDirectory
    private let spool: Spool
    private let large = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }

    init() throws {
        directory = try TemporaryDirectory()
        spool = try Spool(directory: directory.spool)
    }

    private var files: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: SpoolDirectory.contents(in: directory.spool)))?.sorted() ?? []
    }

    @Test func inAndOut() throws {
        let first = envelope()
        try spool.storeLarge(first, large)
        #expect(files == [first.id.text])
        let message = try #require(try Spool(directory: directory.spool).due().first)
        guard case .file = message.content else { return #expect(Bool(false), "it is read in pieces") }
        #expect(message.content.size == large.count && message.bytes == large)
        let lease = try spool.acquireLease()
        try spool.note(message.attempt(.delivered(report)), under: lease)
        #expect(files == [] && spool.counters.fileSyncs == 1)
        // Whoever reads it goes on to the end.
        #expect(message.bytes == large)
        lease.release()
    }

    /// As where descriptors have run out: a name that is not on the disk is no reason to answer 250.
    @Test func aDirectoryThatCannotBeSyncedIsAFailure() {
        #expect(throws: SpoolError.self) { try SpoolDirectory.synchronize(directory.path + "/missing", of: directory.spool) }
    }

    @Test func whatIsNotStoredLeavesNoFile() throws {
        let taken = envelope()
        try spool.store(taken)
        #expect(throws: MessageStoreError.self) { try spool.storeLarge(taken, large) }
        do { _ = try spool.makeContentFile(for: .random()) }
        // The threads that had it let it go after they have answered.
        for _ in 0..<1_000 where files != [] { usleep(5_000) }
        #expect(files == [])
        // Somebody else's file is not ours to keep.
        let elsewhere = try ContentFile(creating: directory.path + "/elsewhere")
        #expect(throws: MessageStoreError.self) { try spool.store(envelope(), .file(elsewhere)) }
        let other = try #require(try spool.makeContentFile(for: .random()))
        #expect(throws: MessageStoreError.self) { try spool.store(envelope(), .file(other)) }
        #expect(throws: MessageStoreError.self) { _ = try spool.makeContentFile(for: QueueID(text: "../x")) }
        #expect(throws: MessageStoreError.self) { _ = try spool.makeContentFile(for: QueueID(text: "")) }
        #expect(try spool.list().count == 1)
    }

    @Test func aNoticeMayHaveAFile() throws {
        let lease = try spool.acquireLease()
        try spool.store(envelope())
        let message = try #require(try spool.due().first)
        let notice = envelope(["a@a.test"], sender: "")
        let file = try #require(try spool.makeContentFile(for: notice.id))
        try file.append(large.span.bytes)
        let attempt = DeliveryAttempt(
            message: message, outcomes: [.failed(never)], nextAttempt: 0, notices: [(envelope: notice, content: .file(file))])
        try waiting { spool.record([attempt], under: lease, then: $0) }
        #expect(try spool.due("a.test").first?.bytes == large)
        #expect(try spool.apply(.delete, matching: QueueFilter()) == 1)
        #expect(files == [])
        lease.release()
    }

    @Test("a file that is not whole sets its message aside", arguments: ["missing", "short", "long", "link", "directory"])
    func damaged(_ damage: String) throws {
        let first = envelope()
        let path = try spool.storeLarge(first, large)
        try spool.store(envelope())
        switch damage {
        case "missing": unlink(path)
        case "short": truncate(path, 999_999)
        case "long": truncate(path, 1_000_001)
        case "link":
            rename(path, path + "X")
            symlink(path + "X", path)
        default:
            unlink(path)
            mkdir(path, 0o700)
        }
        #expect(try spool.due().map(\.number) == [2])
        try spool.settle()
        let listed = try #require(try spool.message(first.id.text))
        #expect(listed.state == .quarantined && listed.lastError == "the file of its content is missing or not whole")
        #expect(spool.counters.quarantined == 1)
        #expect(throws: SpoolError.self) { _ = try spool.content(of: first.id.text) }
        // Its file is back: an operator has it tried again.
        if damage == "short" || damage == "long" {
            truncate(path, 1_000_000)
            #expect(try spool.apply(.retry, to: [listed.id]).missing == [])
            #expect(try spool.due(at: .max).map(\.number) == [2, 1])
        }
    }

    @Test func orphansAreRemovedByTheHolderOfTheLease() throws {
        let kept = envelope()
        try spool.storeLarge(kept, large)
        let folder = SpoolDirectory.contents(in: directory.spool)
        for name in ["OLD", "NEW", kept.id.text] {
            let path = folder + "/" + name
            if name != kept.id.text { #expect(FileManager.default.createFile(atPath: path, contents: nil)) }
            let time = Date(timeIntervalSinceNow: name == "NEW" ? -3_590 : -3_610)
            try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: path)
        }
        try spool.acquireLease().release()
        #expect(files == ["NEW", kept.id.text].sorted())
    }
}
