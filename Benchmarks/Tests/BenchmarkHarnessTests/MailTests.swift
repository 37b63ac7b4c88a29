import CBenchSystem
import Foundation
import Glibc
import Testing

@testable import BenchmarkHarness

@Suite struct SinkCountTests {
    /// As smtp-sink -c writes it.
    @Test(arguments: [
        ("", 0), ("sess=1 quit=0 mesg=0\r", 0), ("sess=5 quit=5 mesg=1999\rsess=5 quit=5 mesg=2000\r", 2000),
        ("=5 mesg=11\rsess=5 quit=5 mesg=12", 11), ("mesg=1", 0), ("mesg=7\rsess=2", 7),
    ])
    func theLastWholeLineCounts(text: String, messages: Int) {
        #expect(SinkCount.messages(in: text) == messages)
    }

    @Test func oneTooManyAndTooFewAreFailures() throws {
        let file = bench_memory_file()
        defer { close(file) }
        let text = "sess=1 quit=1 mesg=3\r"
        try #require(write(file, text, text.utf8.count) == text.utf8.count)
        let count = SinkCount(output: file)
        try count.wait(for: 3, after: 0)
        try count.wait(for: 1, after: 2)
        #expect { try count.wait(for: 2, after: 0) } throws: { "\($0)".contains("3 messages arrived, of 2") }
        #expect { try count.wait(for: 4, after: 0, patience: 0) } throws: { "\($0)".contains("3 of 4") }
    }
}

@Suite struct SpoolDirectoryTests {
    @Test(arguments: [("/var/tmp", "ext4"), ("/var", "xfs"), ("/var/tmp/x", "ext4"), ("/variable", "btrfs"), ("/dev/shm", "tmpfs")])
    func theFileSystemIsThatOfTheNearestMount(path: String, kind: String) {
        let mounts = """
            rootfs / rootfs rw 0 0
            /dev/a / btrfs rw 0 0
            /dev/b /var xfs rw 0 0
            /dev/c /var/tmp ext4 rw 0 0
            tmpfs /dev/shm tmpfs rw 0 0
            """
        #expect(SpoolDirectory.fileSystem(of: path, mounts: mounts) == kind)
    }

    @Test func itIsGoneWithItsValue() throws {
        func path() throws -> String {
            let directory = try SpoolDirectory()
            try "x".write(toFile: directory.path + "/file", atomically: false, encoding: .utf8)
            #expect(access(directory.path, F_OK) == 0)
            return directory.path
        }
        // More than there is room for at one time.
        for _ in 0..<10 { #expect(access(try path(), F_OK) != 0) }
    }

    /// In a process of its own: what Ctrl-C does to the harness.
    @Test(arguments: [SIGINT, SIGTERM]) func aSignalRemovesIt(_ signal: Int32) throws {
        let path = SpoolDirectory.parent + "/bench-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path + "/queue", withIntermediateDirectories: true)
        try "x".write(toFile: path + "/queue/file", atomically: false, encoding: .utf8)
        let place = bench_remove_on_signals(path)
        try #require(place >= 0)
        defer { bench_forget_directory(place) }
        let child = bench_fork_to_die(signal, place)
        var status: Int32 = 0
        try #require(child > 0 && waitpid(child, &status, 0) == child)
        #expect(status & 0x7f == signal)
        #expect(access(path, F_OK) != 0)
    }
}

/// Needs Debian's postfix, as the experiments do.
@Suite(.serialized, .timeLimit(.minutes(40)), .enabled(if: Subject.smtpSink.isMailInstalled)) struct RelayTests {
    @Test func withoutARelayEverythingArrivesAndNothingCountsAsDurable() throws {
        let sample = try RelayRun(in: .ofThisPackage).throughput(.smtpSink, sessions: 5, size: 100, seconds: 1).sample
        #expect(try #require(sample[.unkeptPerSecond]) > 0)
        #expect(try #require(sample[.cpuPerUnkept]) > 0)
        #expect(sample[.messagesPerSecond] == nil && sample[.cpuPerMessage] == nil)
    }

    @Test(.enabled(if: Subject.postfix.isMailInstalled)) func postfixRelaysWithAQueueOfItsOwn() throws {
        let run = try RelayRun(in: .ofThisPackage).throughput(.postfix, sessions: 5, size: 4096, seconds: 1)
        #expect(try #require(run.sample[.messagesPerSecond]) > 0)
        // Its master alone would cost next to nothing: the processes that it started are counted.
        #expect(try #require(run.sample[.cpuPerMessage]) > 100)
        #expect(run.sample[.unkeptPerSecond] == nil)
        let directory = try #require(run.command.last)
        #expect(directory.hasPrefix(SpoolDirectory.parent + "/bench-") && access(directory, F_OK) != 0)
    }

    /// Sessions of every kind, in an smtp-sink instead of a relay.
    @Test func idleSessionsAreServed() throws {
        let sample = try RelayRun(in: .ofThisPackage).idleSessions(.smtpSink, 50).sample
        #expect(sample[.served] == 50)
        #expect(try #require(sample[.memoryPerConnection]) > 0)
    }

    @Test func aRelayThatIsNoneFails() {
        var deaf = Subject.smtpSink
        deaf.relay = { _, executables in [executables.floor, "--version"] }
        #expect(throws: Failure.self) { try RelayRun(in: .ofThisPackage).idleSessions(deaf, 1) }
        #expect(throws: Failure.self) { try RelayRun(in: .ofThisPackage).idleSessions(.floor, 1) }
    }
}
