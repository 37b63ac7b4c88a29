import Foundation
import Glibc
import ReactorMailQueue
import ReactorSampleSite
import Synchronization

/// Reads a spool for the site's page.
final class QueueReader: Sendable {
    /// Messages at each end, destinations, and recipients of one message that are shown.
    private static let (messages, destinations, recipients) = (10, 20, 5)

    private let directory: String
    private let spool = Mutex<Spool?>(nil)

    private init(_ directory: String) { self.directory = directory }

    /// A spool that is not there yet, or is made anew, is found when it is.
    static func reading(_ directory: String) -> @Sendable () throws -> QueueSnapshot {
        let reader = QueueReader(directory)
        return { try reader.read() }
    }

    private func read() throws -> QueueSnapshot {
        let spool = try spool.withLock { spool in
            if let spool { return spool }
            let opened = try Spool(existing: directory)
            spool = opened
            return opened
        }
        let statistics = try spool.statistics(now: Int64(time(nil)), destinations: Self.destinations)
        var snapshot = QueueSnapshot()
        snapshot.place = directory.printable()
        snapshot.states = QueuedMessage.State.allCases.map { QueueSnapshot.Count($0.rawValue, statistics.messages[$0] ?? 0) }
        snapshot.bytes = statistics.bytes
        snapshot.recipients = statistics.recipients
        snapshot.oldestReceived = statistics.oldest
        snapshot.ages = QueueStatistics.ages
        snapshot.destinations = statistics.destinations.map { .init(name: $0.name.printable(), recipients: $0.recipients, byAge: $0.byAge) }
        snapshot.destinationCount = statistics.destinationCount
        snapshot.oldest = try spool.list(newest: false, limit: Self.messages).map(Self.shown)
        snapshot.newest = try spool.list(newest: true, limit: Self.messages).map(Self.shown)
        return snapshot
    }

    /// What peers sent is shown with no character that moves what stands around it.
    private static func shown(_ message: QueuedMessage) -> QueueSnapshot.Message {
        var shown = QueueSnapshot.Message()
        shown.id = message.id.printable()
        shown.state = message.state.rawValue
        shown.sender = message.sender.printable()
        shown.size = message.size
        shown.received = seconds(message.received) ?? 0
        shown.attempts = message.attempts
        shown.nextAttempt = message.state == .waiting ? message.nextAttempt.flatMap(seconds) : nil
        if message.state == .quarantined { shown.problem = message.lastError?.printable() }
        // Who still waits comes before who has it.
        let recipients = message.recipients.filter { $0.state != "delivered" } + message.recipients.filter { $0.state == "delivered" }
        shown.recipients = recipients.prefix(Self.recipients).map { one in
            let remote = one.remote.map { $0.printable() + ": " } ?? ""
            return .init(
                address: one.address.printable(), state: one.state.printable(), lastReply: one.lastReply.map { remote + $0.printable() })
        }
        shown.moreRecipients = message.recipients.count - shown.recipients.count
        return shown
    }

    private static func seconds(_ timestamp: String) -> Int64? {
        (try? Date(timestamp, strategy: .iso8601)).map { Int64($0.timeIntervalSince1970) }
    }
}
