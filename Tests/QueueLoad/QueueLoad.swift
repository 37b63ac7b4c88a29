import Dispatch
import Foundation
import Glibc
import ReactorMailQueue
import ReactorSMTP
import Synchronization

final class QueueLoad: Sendable {
    private let spool: Spool
    private let opened: Double
    private let acknowledged = Mutex(0)

    init(_ directory: String) throws {
        let began = ContinuousClock.now
        spool = try Spool(directory: directory)
        opened = (ContinuousClock.now - began) / .seconds(1)
    }

    func time(_ body: () throws -> Void) rethrows -> Double {
        let began = ContinuousClock.now
        try body()
        return (ContinuousClock.now - began) / .seconds(1)
    }

    var counts: String {
        let counters = spool.counters
        return "stored=\(counters.stored) recorded=\(counters.recorded) batches=\(counters.batches) failures=\(counters.failures)"
    }

    // MARK: In

    private func store(_ envelope: Envelope, _ content: [UInt8], then: @escaping @Sendable () -> Void) {
        spool.commit(envelope, .bytes(content)) { result in
            if case .failure(let error) = result { end("queue-load: \(error)\n", 1) }
            then()
        }
    }

    private static func content(_ size: Int) -> [UInt8] { (0..<size).map { UInt8(ascii: "a") + UInt8($0 % 26) } }

    private static func envelope(_ domain: String = "example.org", at time: Int64 = 0) -> Envelope {
        Envelope(id: .random(), sender: "sender@example.net", recipients: [.init("recipient@" + domain)], received: time)
    }

    /// Each that is acknowledged is followed by another, as on a connection.
    func store(_ count: Int, inFlight: Int, size: Int) {
        let content = Self.content(size)
        let left = Mutex((unsent: count, unanswered: count))
        let done = DispatchSemaphore(value: 0)
        @Sendable func next() {
            let mine = left.withLock { left in
                left.unsent -= 1
                return left.unsent >= 0
            }
            if !mine { return }
            store(Self.envelope(), content) {
                let isLast = left.withLock { left in
                    left.unanswered -= 1
                    return left.unanswered == 0
                }
                if isLast { done.signal() } else { next() }
            }
        }
        for _ in 0..<inFlight { next() }
        done.wait()
    }

    func storeForEver(inFlight: Int, size: Int) {
        let content = Self.content(size)
        @Sendable func next() {
            let envelope = Self.envelope()
            store(envelope, content) {
                say(envelope.id.text)
                next()
            }
        }
        for _ in 0..<inFlight { next() }
        while true { sleep(60) }
    }

    func fill(_ count: Int, destinations: Int) {
        let content = Self.content(1_000)
        let later = Int64(Foundation.time(nil)) + 3_600
        let room = DispatchSemaphore(value: 1_000)
        for number in 0..<count {
            room.wait()
            store(Self.envelope("dead-\(number % destinations).example", at: later), content) { room.signal() }
        }
        for _ in 0..<1_000 { room.wait() }
        for _ in 0..<1_000 { room.signal() }
    }

    // MARK: Out

    func takeOut(_ count: Int, inFlight: Int, printing: Bool = false) throws {
        let lease = try spool.acquireLease()
        let taken = Mutex((claimed: Set<Int64>(), done: 0))
        let room = DispatchSemaphore(value: inFlight)
        while taken.withLock({ $0.done }) < count {
            let claimed = taken.withLock { $0.claimed }
            let now = Int64(Foundation.time(nil))
            let due = try spool.due(for: "example.org", at: now, limit: max(inFlight - claimed.count, 1), excluding: claimed)
            if due.isEmpty {
                var poll = pollfd(fd: spool.wakeDescriptor, events: Int16(POLLIN), revents: 0)
                if claimed.isEmpty, Glibc.poll(&poll, 1, 10) > 0 { spool.clearWake() }
                if !claimed.isEmpty { usleep(100) }
            }
            for message in due {
                room.wait()
                taken.withLock { _ = $0.claimed.insert(message.number) }
                let report = DeliveryReport(status: EnhancedStatusCode(2, 0, 0), text: "250 2.0.0 taken", remote: "next.example")
                let outcomes = message.recipients.map { _ in DeliveryOutcome.delivered(report) }
                spool.record([DeliveryAttempt(message: message, outcomes: outcomes, nextAttempt: 0)], under: lease) { result in
                    if case .failure(let error) = result { end("queue-load: \(error)\n", 1) }
                    taken.withLock { taken in
                        taken.claimed.remove(message.number)
                        taken.done += 1
                    }
                    if printing { say(message.id.text) }
                    room.signal()
                }
            }
        }
        for _ in 0..<inFlight { room.wait() }
        for _ in 0..<inFlight { room.signal() }
        lease.release()
    }

    // MARK: Starting

    func start() throws {
        var waiting = 0
        let leased = try time { try spool.acquireLease().release() }
        let asked = try time { waiting = try spool.waitingDestinations().count }
        let memory = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8))?
            .split(separator: "\n").first { $0.hasPrefix("VmHWM") } ?? ""
        say("opened=\(opened) leased=\(leased) asked=\(asked) destinations=\(waiting) \(memory.filter { $0 != "\t" && $0 != " " })")
    }
}
