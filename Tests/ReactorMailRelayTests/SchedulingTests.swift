import ConnectionHandling
@testable import ReactorMailRelay
import ReactorSMTP
import ReactorTesting
import Testing

/// A macro cannot call what changes a value.
private func holds(_ value: Bool) -> Bool { value }

@Suite struct DestinationHealthTests {
    private var health: DestinationHealth { DestinationHealth(DeliveryLimits()) }

    @Test func growsByOneAWindowUpToItsLimit() {
        var health = health
        #expect(health.connections == 2)
        for _ in 0..<3 { health.answered() }
        #expect(health.connections == 3)
        for _ in 0..<1000 { health.answered() }
        #expect(health.connections == 20)
    }

    @Test func halvesWithEachFailureAndLivesWhileOthersWork() {
        var health = health
        for _ in 0..<1000 { health.answered() }
        #expect(!holds(health.sessionFailed(answered: false, others: true, gaveService: false)))
        #expect(health.connections == 10)
        #expect(!holds(health.sessionFailed(answered: true, others: false, gaveService: true)))
        for _ in 0..<10 { #expect(!holds(health.sessionFailed(answered: true, others: false, gaveService: true))) }
        #expect(health.connections == 1)
    }

    @Test func whoLetsNobodyInIsDeadAtOnceAndProbedByOneConnection() {
        var health = health
        for _ in 0..<1000 { health.answered() }
        #expect(holds(health.sessionFailed(answered: false, others: false, gaveService: false)))
        #expect(health.deaths == 1 && health.connections == 1)
        #expect(holds(health.sessionFailed(answered: false, others: false, gaveService: true)), "the probe fails in whatever way")
        #expect(health.deaths == 2)
        health.answered()
        #expect(health.deaths == 0 && health.connections > 1)
    }

    @Test func whoBreaksOffIsDeadAfterThreeInARow() {
        var health = health
        for _ in 0..<5 {
            #expect(!holds(health.sessionFailed(answered: false, others: false, gaveService: true)))
            #expect(!holds(health.sessionFailed(answered: false, others: false, gaveService: true)))
            health.answered()
        }
        var ends = 0
        while !health.sessionFailed(answered: false, others: false, gaveService: true) { ends += 1 }
        #expect(ends == 2)
    }
}

@Suite struct DeliveryScheduleTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)
    private func at(_ seconds: Int) -> MonotonicTime { start.advanced(by: .seconds(seconds)) }

    private func schedule(active: Int = 4, backlog: Int = 2) -> DeliverySchedule {
        var limits = DeliveryLimits()
        limits.activeDestinations = active
        limits.backlogDestinations = backlog
        return DeliverySchedule(limits)
    }

    private func names(_ schedule: inout DeliverySchedule, _ seconds: Int = 0) -> [String] {
        var names: [String] = []
        while let turn = schedule.next(at: at(seconds)) { names.append(turn.name) }
        return names
    }

    @Test func theEarliestFirstAndNoneTooEarly() {
        var schedule = schedule(backlog: 4)
        for (name, due) in [("c", 30), ("a", 10), ("b", 20), ("d", -5)] {
            schedule.note(name, due: 1000 + Int64(due), unixSeconds: 1000, now: start, isFresh: false)
        }
        #expect(names(&schedule) == ["d"])
        let moment = schedule.nextMoment()
        #expect(moment == at(10))
        #expect(names(&schedule, 20) == ["a", "b"])
        #expect(names(&schedule, 30) == ["c"])
        let none = schedule.nextMoment()
        #expect(none == nil && schedule.active == 4)
    }

    @Test func theBacklogLeavesPlacesForNewMail() {
        var schedule = schedule()
        for number in 0..<1000 { schedule.note("old\(number)", due: Int64(number), unixSeconds: 5000, now: start, isFresh: false) }
        #expect(names(&schedule) == ["old0", "old1"], "those that were noted first")
        for number in 0..<3 { schedule.note("new\(number)", due: 0, unixSeconds: 5000, now: start, isFresh: true) }
        #expect(names(&schedule) == ["new0", "new1"], "four in all")
        schedule.retire("old0", due: nil, rest: nil, health: nil, unixSeconds: 5000, now: start)
        #expect(names(&schedule) == ["new2"], "new mail first")
        schedule.retire("new0", due: nil, rest: nil, health: nil, unixSeconds: 5000, now: start)
        #expect(names(&schedule) == ["old2"])
    }

    @Test func mailThatComesForOneOfTheBacklogBringsItForward() {
        var schedule = schedule(backlog: 0)
        schedule.note("a", due: 0, unixSeconds: 0, now: start, isFresh: false)
        #expect(names(&schedule) == [])
        schedule.note("a", due: 0, unixSeconds: 0, now: start, isFresh: true)
        #expect(names(&schedule) == ["a"])
    }

    @Test func theDeadRestWhateverComes() {
        var schedule = schedule()
        schedule.note("a", due: 0, unixSeconds: 0, now: start, isFresh: true)
        #expect(names(&schedule) == ["a"])
        #expect(holds(schedule.note("a", due: 0, unixSeconds: 0, now: start, isFresh: true)), "whoever works on it is to look again")
        var health = DestinationHealth(DeliveryLimits())
        _ = health.sessionFailed(answered: false, others: false, gaveService: false)
        schedule.retire("a", due: 0, rest: at(60), health: health, unixSeconds: 0, now: start)
        schedule.note("a", due: 0, unixSeconds: 0, now: start, isFresh: true)
        #expect(names(&schedule, 59) == [])
        let turn = schedule.next(at: at(60))
        #expect(turn == DeliverySchedule.Turn(name: "a", due: 0, health: health), "and it is remembered how dead")
    }

    @Test func anOperatorWakesTheDead() {
        var schedule = schedule()
        schedule.note("a", due: 0, unixSeconds: 0, now: start, isFresh: true)
        _ = schedule.next(at: start)
        schedule.retire("a", due: 0, rest: at(600), health: nil, unixSeconds: 0, now: start)
        schedule.note("b", due: 0, unixSeconds: 0, now: start, isFresh: true)
        _ = schedule.next(at: start)
        schedule.note("gone", due: 0, unixSeconds: 0, now: start, isFresh: true)
        let poked = schedule.replace(by: [("a", 0), ("b", 0)], unixSeconds: 0, now: start)
        #expect(poked == ["b"])
        #expect(names(&schedule) == ["a"])
        #expect(schedule.count == 2)
        #expect(schedule.replace(by: [], unixSeconds: 0, now: start).sorted() == ["a", "b"], "nobody waits any more")
    }

    @Test func aWallClockThatIsSetBackDelaysNobodyForLong() {
        var schedule = schedule()
        schedule.note("a", due: 1_000_000, unixSeconds: 0, now: start, isFresh: false)
        let longest = Int((DeliveryLimits().lastRetry * 1.2).components.seconds)
        #expect(names(&schedule, longest - 1) == [])
        let turn = schedule.next(at: at(longest))
        #expect(turn?.due == 1_000_000, "as of which the queue is asked")
        schedule.note("b", due: .max, unixSeconds: .min, now: start, isFresh: false)
        schedule.note("c", due: .min, unixSeconds: .max, now: start, isFresh: false)
        #expect(names(&schedule) == ["c"])
    }

    /// Against a model that looks at everybody each time.
    @Test func atRandom() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        var schedule = schedule(active: 5, backlog: 5)
        var model: [String: Int] = [:]  // When it may be next.
        var active: Set<String> = []
        for now in 0..<2000 {
            let name = "d\(Int.random(in: 0..<12, using: &random))"
            let due = now + Int.random(in: -3...10, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                let isActive = schedule.note(name, due: Int64(due), unixSeconds: Int64(now), now: at(now), isFresh: .random(using: &random))
                #expect(isActive == active.contains(name))
                if !isActive { model[name] = min(model[name] ?? .max, max(due, now)) }
            case 1:
                guard let name = active.randomElement(using: &random) else { continue }
                active.remove(name)
                let isOver = Bool.random(using: &random)
                schedule.retire(name, due: isOver ? nil : Int64(due), rest: nil, health: nil, unixSeconds: Int64(now), now: at(now))
                model[name] = isOver ? nil : max(due, now)
            default:
                guard let turn = schedule.next(at: at(now)) else {
                    #expect(active.count == 5 || !model.values.contains { $0 <= now }, "seed \(seed)")
                    continue
                }
                #expect((model[turn.name] ?? .max) <= now, "seed \(seed)")
                #expect(active.count < 5 && !active.contains(turn.name))
                model[turn.name] = nil
                active.insert(turn.name)
            }
            #expect(schedule.active == active.count && schedule.count == active.count + model.count, "seed \(seed)")
        }
    }

    @Test func heldMessagesAreBounded() {
        var limits = DeliveryLimits()
        limits.heldMessages = 150
        var held = HeldMessages(limits)
        #expect(held.allowance == 100)
        for _ in 0..<100 { held.took(message()) }
        #expect(held.allowance == 50)
        for _ in 0..<100 { held.took(message()) }
        #expect(held.allowance == 1, "so that nobody starves")
        for _ in 0..<200 { held.gave(message()) }
        #expect(held.count == 0 && held.bytes == 0)
        limits.heldBytes = 1_000_000
        held = HeldMessages(limits)
        let large = message(content: String(repeating: "x", count: 200_000))
        for _ in 0..<5 { held.took(large) }
        #expect(held.allowance == 1)
    }
}

@Suite struct ClockWatchTests {
    @Test func onlyWhatWasSetIsSeen() {
        var watch = ClockWatch()
        func look(_ unixSeconds: Int64, _ running: Double) -> Int64? {
            watch.step(unixSeconds: unixSeconds, now: MonotonicTime(nanoseconds: UInt64(running * 1e9)))
        }
        #expect(look(1_000, 7) == nil, "there is nothing to compare it with")
        #expect(look(1_005, 12) == nil)
        #expect(look(9_000, 8_007.9) == nil, "a process that was asleep")
        #expect(look(8_040, 8_012) == -965)
        #expect(look(8_045, 8_017) == nil, "once")
        #expect(look(8_074, 8_017) == nil && look(8_103, 8_017) == nil, "a second or so each time is no step")
        #expect(look(1_000_000, 8_020) == 991_894)
        #expect(look(.max, 8_025) != 0 && look(.min, 8_030) != 0 && look(0, 1e9) != 0)
    }
}

@Suite struct BackoffTests {
    @Test func doublesToItsEnd() {
        var random = SeededGenerator(seed: 1)
        let backoff = Backoff(first: .seconds(5), last: .seconds(3_600))
        for (failures, seconds) in [(0, 5), (1, 5), (2, 10), (3, 20), (10, 2_560), (11, 3_600), (1_000, 3_600), (Int.max, 3_600)] {
            for _ in 0..<100 {
                let delay = backoff.delay(after: failures, using: &random)
                #expect(delay >= .seconds(seconds) * 0.8 && delay <= .seconds(seconds) * 1.2)
            }
        }
    }
}
