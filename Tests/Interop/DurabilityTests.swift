import ConnectionHandling
import Foundation
import Glibc
import Reactor
import Synchronization
import TestSupport
import Testing

/// A message that got its 250 survives `kill -9` of the server at any moment.
@Suite(.timeLimit(.minutes(15))) struct DurabilityTests {
    /// What the clients were promised, by subject.
    private final class Promises: Sendable {
        private let state = Mutex<(acknowledged: Set<String>, running: Int, stop: Bool)>(([], 0, false))
        var acknowledged: Set<String> { state.withLock { $0.acknowledged } }
        var running: Int { state.withLock { $0.running } }
        var isStopped: Bool { state.withLock { $0.stop } }
        func add(_ subject: String) { state.withLock { _ = $0.acknowledged.insert(subject) } }
        func began() { state.withLock { $0.running += 1 } }
        func ended() { state.withLock { $0.running -= 1 } }
        func stop() { state.withLock { $0.stop = true } }
    }

    @Test(arguments: ["reactor", "thread", "prefork"])
    func acknowledgedMailSurvivesKill9(_ architecture: String) throws {
        var random = SystemRandomNumberGenerator()
        let spool = try TemporaryDirectory()
        let sink = try MailSink()
        let promises = Promises()
        func start() throws -> ServerProcess {
            try ServerProcess(
                "reactor",
                [
                    "serve", "smtp", "--listen", "127.0.0.1:0", "--spool", spool.path, "--next-hop",
                    sink.address.description, "--architecture", architecture,
                ])
        }
        for round in 0..<8 {
            let server = try start()
            let address = server.addresses[0]
            let load = Promises()
            for sender in 0..<6 {
                load.began()
                try startThread {
                    var number = 0
                    while !load.isStopped {
                        let subject = "\(architecture)-\(round)-\(sender)-\(number)"
                        number += 1
                        guard (try? send(address, subject: subject, from: "a@example.org", to: "b@example.org")) == true else {
                            if load.isStopped { break }
                            usleep(1_000)
                            continue
                        }
                        promises.add(subject)
                    }
                    load.ended()
                }
            }
            // Every other round is killed wherever it stands; the rest once the load has got somewhere, so that a slow
            // disk does not leave a test of nothing.
            let before = promises.acknowledged.count
            for _ in 0..<1_000 where round % 2 == 1 && promises.acknowledged.count < before + 6 { usleep(10_000) }
            usleep(UInt32.random(in: 20_000...400_000, using: &random))
            server.signal(SIGKILL)
            #expect(server.waitForExit() != nil)
            load.stop()
            for _ in 0..<2_500 where load.running > 0 { usleep(10_000) }
            #expect(load.running == 0)
        }
        let acknowledged = promises.acknowledged
        #expect(acknowledged.count > 20, "the load was real")
        let server = try start()
        _ = sink.wait(for: acknowledged.count)
        for _ in 0..<1_000 where !acknowledged.isSubset(of: sink.delivered) { usleep(20_000) }
        let delivered = sink.delivered
        let lost = acknowledged.subtracting(delivered)
        #expect(lost.isEmpty, "\(lost.count) of \(acknowledged.count) acknowledged messages were lost: \(lost.prefix(5))")
        let twice = delivered.count - Set(delivered).count
        print("\(architecture): \(acknowledged.count) acknowledged, \(delivered.count) delivered, \(twice) of them twice")
        #expect(server.stop() == 0)
        let left = try reactor("queue", "list", "--spool", spool.path, "--json")
        #expect(left.output.trimmingCharacters(in: .whitespacesAndNewlines).filter { !$0.isWhitespace } == "[]")
    }
}
