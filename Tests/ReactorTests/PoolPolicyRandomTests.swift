import ConnectionHandling
import ReactorTesting
import Testing

@testable import Reactor

/// Whatever happens, in whatever order: the pool keeps its promises.
@Suite struct PoolPolicyRandomTests {
    /// What users and servers do at random, and what the policy must then have done.
    private struct World {
        var random: SeededGenerator
        var policy: PoolPolicy
        var now = MonotonicTime(nanoseconds: 1)
        let destinations = (1...4).map { SocketAddress.loopback(port: UInt16($0)) }
        var connecting: [PoolPlace: SocketAddress] = [:]
        var idle: [PoolPlace: SocketAddress] = [:]
        var leased: [PoolPlace: (destination: SocketAddress, ticket: PoolTicket, deadline: MonotonicTime)] = [:]
        var waiting: [PoolTicket: (destination: SocketAddress, deadline: MonotonicTime)] = [:]
        var settled: Set<PoolTicket> = []
        var takenBack: Set<PoolTicket> = []

        init(seed: UInt64) {
            random = SeededGenerator(seed: seed)
            var limits = PoolLimits()
            limits.maxConnectionsPerDestination = .random(in: 1...4, using: &random)
            limits.maxConnections = .random(in: 1...8, using: &random)
            limits.maxWaitingPerDestination = .random(in: 1...12, using: &random)
            limits.maxWaiting = .random(in: 1...30, using: &random)
            limits.idleTime = .seconds(.random(in: 1...30, using: &random))
            limits.lifetime = .seconds(.random(in: 1...60, using: &random))
            limits.maxUses = .random(in: 1...20, using: &random)
            limits.connectAttempts = .random(in: 1...3, using: &random)
            limits.backOff = .milliseconds(.random(in: 0...500, using: &random))
            limits.maxBackOff = .seconds(.random(in: 0...5, using: &random))
            policy = PoolPolicy(limits)
        }

        mutating func pick<Key, Value>(_ table: [Key: Value]) -> Key? where Key: Hashable {
            table.keys.sorted { "\($0)" < "\($1)" }.randomElement(using: &random)
        }

        mutating func step() throws {
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<7: acquire()
            case 7..<10: if let place = pick(connecting) { connected(place) }
            case 10: if let place = pick(connecting) { refused(place) }
            case 11..<15: if let place = pick(leased) { released(place) }
            case 15: if let place = pick(leased) { leased[place] = nil; policy.closed(place) }
            case 16: if let place = pick(idle) { idle[place] = nil; policy.closed(place) }
            case 17: if let ticket = pick(waiting) { waiting[ticket] = nil; policy.cancel(ticket) }
            case 18: if let place = pick(leased) { takeBack(place) }
            default: now = now.advanced(byNanoseconds: .random(in: 0...3_000_000_000, using: &random))
            }
            try drain()
        }

        private mutating func acquire() {
            guard let destination = destinations.randomElement(using: &random) else { return }
            let deadline = now.advanced(byNanoseconds: .random(in: 0...20_000_000_000, using: &random))
            if let ticket = try? policy.acquire(destination, until: deadline) { waiting[ticket] = (destination, deadline) }
        }

        private mutating func connected(_ place: PoolPlace) {
            idle[place] = connecting.removeValue(forKey: place)
            let isWanted = policy.connected(place, at: now)
            #expect(isWanted)
        }

        private mutating func refused(_ place: PoolPlace) {
            connecting[place] = nil
            policy.connectFailed(place, refusal, at: now)
        }

        private mutating func released(_ place: PoolPlace) {
            idle[place] = leased.removeValue(forKey: place)?.destination
            policy.released(place, at: now)
        }

        private mutating func takeBack(_ place: PoolPlace) {
            guard let lease = leased.removeValue(forKey: place) else { return }
            settled.remove(lease.ticket)
            takenBack.insert(lease.ticket)
            waiting[lease.ticket] = (lease.destination, lease.deadline)
            policy.takeBack(lease.ticket, for: lease.destination, until: lease.deadline, insteadOf: place)
        }

        mutating func drain() throws {
            while let action = policy.nextAction(at: now) {
                switch action {
                case .connect(let place, let destination):
                    connecting[place] = destination
                case .handOut(let place, let ticket):
                    let unused = idle.removeValue(forKey: place)
                    let destination = try #require(unused, "a connection that nobody has")
                    let waits = waiting.removeValue(forKey: ticket)
                    let waiter = try #require(waits, "to somebody who waits")
                    #expect(waiter.destination == destination)
                    #expect(!waiting.contains { $0.key < ticket && $0.value.destination == destination }, "in turn")
                    #expect(waiter.deadline > now)
                    leased[place] = (destination, ticket, waiter.deadline)
                    let isFirst = settled.insert(ticket).inserted
                    #expect(isFirst)
                case .close(let place):
                    let wasThere = idle.removeValue(forKey: place) != nil || connecting.removeValue(forKey: place) != nil
                    #expect(wasThere, "what is in use is not closed")
                case .fail(let ticket, _):
                    let wasWaiting = waiting.removeValue(forKey: ticket) != nil
                    #expect(wasWaiting)
                    let isFirst = settled.insert(ticket).inserted
                    #expect(isFirst)
                }
                #expect(connecting.count + idle.count + leased.count <= policy.limits.maxConnections)
            }
            try check()
        }

        private func check() throws {
            let statistics = policy.statistics
            #expect(statistics.connecting == connecting.count && statistics.idle == idle.count)
            #expect(statistics.leased == leased.count && statistics.waiting == waiting.count)
            #expect(policy.deadline > now)
            #expect(waiting.allSatisfy { $0.value.deadline > now })
            #expect(waiting.keys.count { !takenBack.contains($0) } <= policy.limits.maxWaiting)
            let isFull = connecting.count + idle.count + leased.count == policy.limits.maxConnections
            for destination in destinations {
                let waiters = waiting.values.count { $0.destination == destination }
                let attempts = connecting.values.count { $0 == destination }
                let unused = idle.values.count { $0 == destination }
                let used = leased.values.count { $0.destination == destination }
                #expect(attempts + unused + used <= policy.limits.maxConnectionsPerDestination)
                if waiters == 0 { continue }
                #expect(unused == 0, "nobody waits while a connection is idle")
                // Nobody waits while a place is free: that would be used by as many attempts.
                let pauses = policy.destinations[destination].map { !$0.mayConnect(at: now) } ?? false
                #expect(
                    waiters <= attempts || attempts + used == policy.limits.maxConnectionsPerDestination || pauses
                        || isFull && idle.isEmpty)
            }
        }

        mutating func end() throws {
            policy.close()
            try drain()
            #expect(waiting.isEmpty && connecting.isEmpty && idle.isEmpty)
            while let place = pick(leased) { released(place) ; try drain() }
            #expect(policy.isDrained && policy.places.isEmpty && policy.waiters.isEmpty)
            #expect(policy.starved.isEmpty && policy.attention.isEmpty)
        }
    }

    @Test(arguments: 0..<40)
    func thePromisesAreKept(_ part: Int) throws {
        let seed = UInt64.random(in: 0 ... .max)
        do {
            var world = World(seed: seed)
            for _ in 0..<500 { try world.step() }
            try world.end()
        } catch {
            Issue.record("seed \(seed): \(error)")
        }
        // Failed expectations do not throw: the seed is in the output of every run.
        print("pool policy, part \(part): seed \(seed)")
    }

    /// Without failures and with patient users, everybody gets a connection in the end.
    @Test(arguments: [1, 2, 3, 8])
    func everybodyIsServed(_ places: Int) throws {
        var bench = PolicyBench { $0.maxConnections = places; $0.maxConnectionsPerDestination = 2; $0.maxUses = .max }
        var served: Set<PoolTicket> = []
        let tickets = try (0..<200).map { try bench.acquire(.loopback(port: UInt16(1 + $0 % 7)), within: .seconds(1_000)) }
        for _ in 0..<2_000 where served.count < tickets.count {
            while !bench.connecting.isEmpty { _ = try bench.connect() }
            for (place, ticket) in bench.handedOut {
                served.insert(ticket)
                bench.policy.released(place, at: bench.now)
            }
            bench.handedOut = []
            bench.drain()
        }
        #expect(served == Set(tickets))
    }
}
