/// How a ``DeliveryAgent`` goes about it. Every limit is set by default.
public struct DeliveryLimits: Sendable {
    /// Connections to the next hop at one time: 10. More gains little with one next hop, which pipelines, and much
    /// more would look like an attack to it.
    public var connections = 10
    /// How long to try to connect to one address: 30 seconds, well above any network's round trip.
    public var connect: Duration = .seconds(30)
    /// The first delay of a message that was refused for now; it doubles with each attempt. Five seconds: enough for a
    /// next hop that restarts, or greylists by connection.
    public var firstRetry: Duration = .seconds(5)
    /// The longest delay of a message: one hour. RFC 5321 section 4.5.4.1 asks for 30 minutes at least in the long run.
    public var lastRetry: Duration = .seconds(3600)
    /// A message older than this fails at its next refusal instead of waiting on: five days, RFC 5321 section 4.5.4.1.
    public var lifetime: Duration = .seconds(5 * 86_400)
    /// The first delay of a next hop that cannot be reached or gives no service; it doubles with each failure. No
    /// message's own delay grows by it.
    public var firstReconnect: Duration = .seconds(1)
    /// The longest delay of a next hop: one minute.
    public var lastReconnect: Duration = .seconds(60)
    /// How often to look into the spool without being told to: five seconds. A safety net: a process that dies between
    /// its commit and its signal leaves a message that nobody was told of.
    public var poll: Duration = .seconds(5)
    public var client = SMTPClientLimits()

    public init() {}
}

/// Delays that double, with up to a fifth more or less, so that many who failed together don't come back together.
struct Backoff {
    let first: Duration
    let last: Duration

    /// The delay after so many failures, the latest included.
    func delay<Random: RandomNumberGenerator>(after failures: Int, using random: inout Random) -> Duration {
        let doublings = min(max(failures - 1, 0), 30)
        let plain = min(first * (1 << doublings), last)
        return plain * Double.random(in: 0.8...1.2, using: &random)
    }
}
