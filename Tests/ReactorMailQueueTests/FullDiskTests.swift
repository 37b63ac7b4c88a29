import Foundation
import Glibc
@testable import ReactorMailQueue
import ReactorSMTP
import TestSupport
import Testing

/// Disks without room: what cannot be kept is refused, what was kept goes on, and nobody has to restart anything.
@Suite(.serialized, .timeLimit(.minutes(40))) struct FullDiskTests {
    /// A small disk of its own, which only the superuser can have.
    private final class SmallDisk {
        let path: String
        private let directory: TemporaryDirectory

        init(megabytes: Int) throws {
            directory = try TemporaryDirectory()
            path = directory.path + "/disk"
            mkdir(path, 0o700)
            let result = try run("mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", path])
            #expect(result.status == 0, "\(result.errors)")
        }

        deinit { _ = try? run("umount", ["-l", path]) }

        /// Leaves so much room.
        func fill(to bytes: Int) throws {
            let descriptor = open(path + "/filler", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            defer { close(descriptor) }
            let size = SpoolDirectory.freeSpace(in: path) - bytes
            if size > 0 { #expect(posix_fallocate(descriptor, 0, off_t(size)) == 0) }
        }

        func empty() { unlink(path + "/filler") }
    }

    private static var mayMount: Bool { geteuid() == 0 && (try? run("unshare", ["-m", "true"]))?.status == 0 }

    private static func isFull(_ error: any Error) -> Bool {
        if case MessageStoreError.full = error { true } else { false }
    }

    @Test("with a reserve and without", .enabled(if: mayMount), arguments: [true, false])
    func aFullDisk(_ hasReserve: Bool) throws {
        let disk = try SmallDisk(megabytes: 16)
        var options = SpoolOptions()
        options.reserve = hasReserve ? 4 << 20 : 0
        let spool = try Spool(directory: disk.path + "/spool", options: options)
        let lease = try spool.acquireLease()
        var acknowledged: Set<String> = []
        var refused = 0
        for _ in 0..<2_000 where refused < 3 {
            let one = envelope()
            do {
                try spool.store(one, Array(repeating: 65, count: 50_000))
                acknowledged.insert(one.id.text)
            } catch {
                #expect(Self.isFull(error), "\(error)")
                refused += 1
            }
        }
        #expect(refused == 3 && acknowledged.count > 10)
        #expect(throws: (any Error).self) { try spool.storeLarge(envelope(), Array(repeating: 65, count: 17 << 20)) }
        #expect(Set(try spool.list().map(\.id)) == acknowledged)
        // What is there is taken out, with the reserve that is for this.
        var taken = 0
        while hasReserve, let message = try spool.due(limit: 1).first {
            #expect(acknowledged.contains(message.id.text))
            try spool.note(message.attempt(.delivered(report)), under: lease)
            taken += 1
        }
        #expect(taken == (hasReserve ? acknowledged.count : 0))
        lease.release()
    }

    @Test("recovery", .enabled(if: mayMount))
    func recovery() throws {
        let disk = try SmallDisk(megabytes: 24)
        let spool = try Spool(directory: disk.path + "/spool")
        let lease = try spool.acquireLease()
        let first = envelope()
        try spool.store(first)
        for round in 0..<3 {
            // Another program's doing: to the brim, or nearly. What was removed may still be open for a moment.
            try disk.fill(to: [0, 100_000, 1 << 20][round])
            for _ in 0..<3 {
                #expect(performing: { try spool.store(envelope()) }, throws: Self.isFull)
                #expect(performing: { try spool.storeLarge(envelope(), sample) }, throws: Self.isFull)
            }
            #expect(try spool.list().map(\.id) == [first.id.text])
            disk.empty()
            let large = envelope(["x@x.test"])
            try spool.storeLarge(large, Array(repeating: 65, count: 2 << 20))
            let message = try #require(try spool.due("x.test").first)
            try spool.note(message.attempt(.delivered(report)), under: lease)
        }
        try spool.store(envelope())
        #expect(try spool.list().count == 2 && spool.due().count == 2)
        lease.release()
    }

    /// The room goes while a large message is written.
    @Test("a large message for which there is no room", .enabled(if: mayMount))
    func aLargeOneThatDoesNotFit() throws {
        let disk = try SmallDisk(megabytes: 16)
        let spool = try Spool(directory: disk.path + "/spool")
        let id = QueueID.random()
        do {
            let file = try #require(try spool.makeContentFile(for: id))
            try disk.fill(to: 1 << 20)
            let error = #expect(throws: ContentFileError.self) { try file.append(Array(repeating: 65, count: 4 << 20).span.bytes) }
            #expect(error?.isFull == true)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: SpoolDirectory.contents(in: spool.directory)) == [])
        disk.empty()
        try spool.storeLarge(envelope(), Array(repeating: 65, count: 4 << 20))
    }

    @Test func withoutRoomNothingIsAcceptedAndTheRestGoesOn() throws {
        let directory = try TemporaryDirectory()
        let spool = try Spool(directory: directory.spool)
        let lease = try spool.acquireLease()
        try spool.store(envelope())
        var options = SpoolOptions()
        options.reserve = .max
        let full = try Spool(directory: directory.spool, options: options)
        for _ in 0..<2 { #expect(performing: { try full.store(envelope()) }, throws: Self.isFull) }
        #expect(performing: { _ = try full.makeContentFile(for: .random()) }, throws: Self.isFull)
        // One transaction may have those that fail for want of room, and those that go on.
        let message = try #require(try full.due().first)
        let gate = full.holdCommitter()
        full.commit(envelope(), .bytes(sample)) { result in
            #expect(throws: MessageStoreError.self) { try result.get() }
        }
        full.record([message.attempt(.delivered(report))], under: lease) { result in
            #expect(throws: Never.self) { try result.get() }
        }
        gate.signal()
        try full.settle()
        #expect(try full.list().isEmpty)
        lease.release()
    }
}
