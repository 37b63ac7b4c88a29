import ConnectionHandling
import Foundation
import Glibc
import Reactor
import Synchronization
import TestSupport

/// Threads that send messages to a relay, one after the other, until they are told to stop, and remember which of them got
/// their 250.
final class MailLoad: Sendable {
    private let state: Mutex<(acknowledged: Set<String>, running: Int, isStopped: Bool)>
    private let isStoppedNow = Atomic(false)

    /// Each message's subject is its own, and begins with `name`.
    init(to address: SocketAddress, senders: Int = 6, name: String) throws {
        state = Mutex(([], senders, false))
        for sender in 0..<senders { try startThread { [self] in run(address, "\(name)-\(sender)") } }
    }

    private func run(_ address: SocketAddress, _ name: String) {
        var number = 0
        while !isStoppedNow.load(ordering: .relaxed) {
            let subject = "\(name)-\(number)"
            number += 1
            let isAcknowledged = (try? send(address, subject: subject, from: "a@example.org", to: "b@example.org")) == true
            if isAcknowledged { state.withLock { _ = $0.acknowledged.insert(subject) } } else { usleep(1_000) }
        }
        state.withLock { $0.running -= 1 }
    }

    var acknowledged: Set<String> { state.withLock { $0.acknowledged } }

    /// Waits until so many are acknowledged, 10 s at most.
    func wait(for count: Int) {
        for _ in 0..<1_000 where acknowledged.count < count { usleep(10_000) }
    }

    /// Ends it, and says what was acknowledged; nil if a sender is still waiting for an answer after 25 s.
    func stop() -> Set<String>? {
        isStoppedNow.store(true, ordering: .relaxed)
        for _ in 0..<2_500 where state.withLock({ $0.running > 0 }) { usleep(10_000) }
        return state.withLock { $0.running > 0 ? nil : $0.acknowledged }
    }
}

/// A relay of this package.
func startRelay(_ spool: String, to nextHop: SocketAddress?, _ more: [String] = [], under: [String] = []) throws -> ServerProcess {
    let hop = nextHop.map { ["--next-hop", $0.description] } ?? []
    return try ServerProcess(
        "reactor", ["serve", "smtp", "--listen", "127.0.0.1:0", "--spool", spool, "--hostname", "relay.test"] + hop + more, under: under)
}

/// What waits in a spool, as `reactor queue list --json` tells.
func queued(_ spool: String) throws -> [NSDictionary] {
    let result = try reactor("queue", "list", "--spool", spool, "--json")
    guard result.status == 0, let list = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [NSDictionary] else {
        throw ServerProcess.Failure(description: "queue list: \(result)")
    }
    return list
}

/// Waits until nothing waits in a spool, 30 s at most.
func waitUntilEmpty(_ spool: String) throws -> Bool { try eventually { try queued(spool).isEmpty } }

/// Whether something comes true within 30 s.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    let end = ContinuousClock.now + .seconds(30)
    while try !condition() {
        if ContinuousClock.now > end { return false }
        usleep(50_000)
    }
    return true
}
