import Foundation
import Glibc
import Reactor
import Synchronization
import TestSupport
import Testing

/// A message that got its 250 survives `kill -9` of the server at any moment, whatever the next hop does meanwhile.
@Suite(.timeLimit(.minutes(40))) struct DurabilityTests {
    enum NextHop: String { case up, down, flapping }

    /// Moments at which a delivery could break off between the next hop's taking a message and our writing it down.
    private final class Disturbances: Sendable {
        private let moments = Mutex<[ContinuousClock.Instant]>([])
        func add() { moments.withLock { $0.append(.now) } }
        var all: [ContinuousClock.Instant] { moments.withLock { $0 } }
    }

    /// Ups and downs of a next hop, until this goes.
    private final class Flapping: Sendable {
        private let isOver = Atomic(false)
        private let hasEnded = Atomic(false)

        init(_ sink: MailSink, _ disturbances: Disturbances) throws {
            try startThread { [self] in
                while !isOver.load(ordering: .relaxed) {
                    try? sink.comeUp()
                    usleep(.random(in: 20_000...200_000))
                    disturbances.add()
                    sink.goDown()
                    usleep(.random(in: 20_000...100_000))
                }
                hasEnded.store(true, ordering: .releasing)
            }
        }

        func stop() {
            isOver.store(true, ordering: .relaxed)
            while !hasEnded.load(ordering: .acquiring) { usleep(1_000) }
        }
    }

    @Test(arguments: [
        ("reactor", NextHop.up), ("thread", .up), ("prefork", .up), ("reactor", .down), ("reactor", .flapping), ("prefork", .flapping),
    ])
    func acknowledgedMailSurvivesKill9(_ architecture: String, _ nextHop: NextHop) throws {
        let directory = try TemporaryDirectory()
        let spool = directory.path + "/spool"
        let sink = try MailSink(path: directory.path + "/sink")
        let disturbances = Disturbances()
        if nextHop == .up { try sink.comeUp() }
        let flapping = nextHop == .flapping ? try Flapping(sink, disturbances) : nil
        func start() throws -> ServerProcess { try startRelay(spool, to: sink.address, ["--architecture", architecture]) }
        var acknowledged: Set<String> = []
        for round in 0..<12 {
            let server = try start()
            let load = try MailLoad(to: server.addresses[0], name: "\(architecture)-\(round)")
            // Every other round is killed wherever it stands; the rest once the load has got somewhere, so that a slow
            // disk does not leave a test of nothing.
            if round % 2 == 1 { load.wait(for: 6) }
            usleep(.random(in: 20_000...400_000))
            disturbances.add()
            server.signal(SIGKILL)
            #expect(server.waitForExit() != nil)
            acknowledged.formUnion(try #require(load.stop()))
        }
        #expect(acknowledged.count > 40, "the load was real")
        flapping?.stop()
        if nextHop != .up { try sink.comeUp() }
        let server = try start()
        for _ in 0..<1_000 where !acknowledged.isSubset(of: sink.wait(for: acknowledged.count)) { usleep(20_000) }
        #expect(try waitUntilEmpty(spool))
        let lost = acknowledged.subtracting(sink.delivered)
        #expect(lost.isEmpty, "\(lost.count) of \(acknowledged.count) acknowledged messages were lost: \(lost.prefix(5))")
        let twice = expectOnlyUnrecordedTwice(sink.deliveries, disturbances.all)
        print("\(architecture), next hop \(nextHop): \(acknowledged.count) acknowledged, \(sink.deliveries.count) delivered, \(twice) again")
        #expect(server.stop() == 0)
    }

    /// RFC 5321 section 6.1 leaves one window: the message was taken, and that was not written down before the end. So
    /// nothing comes twice unless something broke off just after the first time.
    private func expectOnlyUnrecordedTwice(_ deliveries: [MailSink.Delivery], _ moments: [ContinuousClock.Instant]) -> Int {
        var last: [String: ContinuousClock.Instant] = [:]
        var twice = 0
        for delivery in deliveries {
            if let before = last.updateValue(delivery.at, forKey: delivery.subject) {
                twice += 1
                // A next hop that is told to stop takes what came before it looked.
                let isExplained = moments.contains { $0 > before - .milliseconds(200) && $0 < before + .seconds(1) && $0 < delivery.at }
                #expect(isExplained, "\(delivery.subject) came again \(delivery.at - before) after it was delivered, for no reason")
            }
        }
        // What is in flight at once is small: a queue that came again as a whole would be hundreds.
        #expect(twice <= 50 * moments.count)
        return twice
    }

    /// A stop is no death: what is under way is finished and written down, so nothing comes twice either.
    @Test(arguments: ["reactor", "thread", "prefork"]) func aStopUnderLoadLosesNothing(_ architecture: String) throws {
        let directory = try TemporaryDirectory()
        let spool = directory.path + "/spool"
        let sink = try MailSink()
        var acknowledged: Set<String> = []
        for round in 0..<5 {
            let server = try startRelay(spool, to: sink.address, ["--architecture", architecture])
            let load = try MailLoad(to: server.addresses[0], name: "\(round)")
            load.wait(for: 10)
            usleep(.random(in: 0...200_000))
            let start = ContinuousClock.now
            #expect(server.stop() == 0)
            #expect(ContinuousClock.now - start < .seconds(10), "what is in flight is short here")
            acknowledged.formUnion(try #require(load.stop()))
        }
        let server = try startRelay(spool, to: sink.address)
        _ = sink.wait(for: acknowledged.count)
        #expect(try waitUntilEmpty(spool))
        #expect(server.stop() == 0)
        let delivered = sink.delivered
        #expect(acknowledged.count >= 50 && acknowledged.isSubset(of: delivered), "\(acknowledged.subtracting(delivered))")
        #expect(Set(delivered).count == delivered.count, "\(delivered.count - Set(delivered).count) came twice")
    }
}
