/// What an ``EventHub`` keeps, and for whom.
public struct EventHubOptions: Sendable {
    /// What happens to a subscriber that takes events more slowly than they are published.
    public enum Overflow: Sendable {
        /// Its stream ends. A browser connects again, and is sent what it has missed if ``EventHubOptions/history`` holds it.
        case disconnect
        /// The oldest event that waits for it is dropped: right where the latest value is all that counts.
        case skipOldest
    }

    /// The most events that wait for one subscriber, beside what its connection's output holds. 64.
    public var queue = 64
    public var overflow = Overflow.disconnect
    /// How many events are kept for those that connect again. 256.
    public var history = 256
    /// The most subscribers; those past it get 503. 10,000.
    public var subscribers = 10_000
    /// A silent stream is sent a comment so often. 15 seconds, as the HTML Standard advises.
    public var keepAlive: Duration = .seconds(15)

    public init() {}

    public static var `default`: EventHubOptions { EventHubOptions() }
}
