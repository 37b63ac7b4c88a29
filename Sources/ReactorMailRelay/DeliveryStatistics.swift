import ReactorSMTP
import Synchronization

/// What an agent has done since it was made, and what it is doing.
public struct DeliveryStatistics: Sendable, Equatable {
    /// Recipients: what became of each attempt, counted once it is written down.
    public var delivered = 0
    public var deferred = 0
    public var bounced = 0
    /// Notices sent to senders.
    public var notices = 0
    /// Connections made, and those open now, the ones being opened included.
    public var connectionsMade = 0
    public var connections = 0
    /// Destinations that are worked on, and all that somebody waits for.
    public var activeDestinations = 0
    public var destinations = 0
    /// Messages in memory.
    public var heldMessages = 0

    public init() {}
}

/// The statistics of an agent, for any thread to read.
public final class DeliveryCounters: Sendable {
    private let state = Mutex(DeliveryStatistics())
    public init() {}
    public var snapshot: DeliveryStatistics { state.withLock { $0 } }
    func update(_ change: (inout DeliveryStatistics) -> Void) { state.withLock { change(&$0) } }
}

extension DeliveryStatistics {
    mutating func count(_ attempts: [DeliveryAttempt]) {
        for attempt in attempts {
            notices += attempt.notices.count
            for outcome in attempt.outcomes {
                switch outcome {
                case .delivered: delivered += 1
                case .deferred, .leftOver: deferred += 1
                case .failed: bounced += 1
                }
            }
        }
    }
}
