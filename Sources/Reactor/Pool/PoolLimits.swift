/// What a connection pool allows. Every limit is set by default.
public struct PoolLimits: Sendable {
    /// Connections to one destination, those being made included. 16: more rarely make a service faster, and a hundred
    /// clients that open 16 each already fill many a server.
    public var maxConnectionsPerDestination = 16
    /// Connections to all destinations, those being made included. 256: a quarter of the descriptors that a process has
    /// by default.
    public var maxConnections = 256
    /// Acquisitions that may wait for one destination, those for which a connection is being made included. 1,024: with
    /// 16 connections the last of them waits for 64 exchanges; a longer queue is only a slower refusal.
    public var maxWaitingPerDestination = 1_024
    /// Acquisitions that may wait for all destinations: eight full queues. One slow server must not use up the memory
    /// of all.
    public var maxWaiting = 8_192
    /// How long an acquisition waits unless it says otherwise. Ten seconds: as long as one attempt to connect.
    public var waitingTime: Duration = .seconds(10)
    /// An idle connection is closed after this time. One minute: before most servers close it, so that requests seldom
    /// meet a connection that is being closed (nginx keeps them for 75 seconds).
    public var idleTime: Duration = .seconds(60)
    /// A connection is closed, once idle, when it is so old. Ten minutes: a service that has moved is then found anew.
    public var lifetime: Duration = .seconds(600)
    /// A connection is closed after being used so often. 1,000, as nginx's `keepalive_requests`: the end that counts
    /// closes without surprising the other.
    public var maxUses = 1_000
    /// Failed attempts to connect after which those who wait get the error, unless connections in use may yet serve
    /// them. Two: the first failure may be a server that restarts.
    public var connectAttempts = 2
    /// How long no attempt is made at a destination after a failure. It doubles with each further failure up to
    /// ``maxBackOff``, and meanwhile one attempt is made at a time. 100 milliseconds: a restart's length.
    public var backOff: Duration = .milliseconds(100)
    /// Ten seconds: a service that is back is found within it.
    public var maxBackOff: Duration = .seconds(10)

    public init() {}

    public static var `default`: PoolLimits { PoolLimits() }

    func check() {
        precondition(
            maxConnectionsPerDestination > 0 && maxConnections > 0 && maxWaitingPerDestination > 0 && maxWaiting > 0
                && maxUses > 0 && connectAttempts > 0,
            "a pool's limits are at least one")
    }
}

/// What a pool holds now, and what it has done since it was made.
public struct PoolStatistics: Equatable, Sendable {
    /// Connections being made, waiting for use, and in use.
    public internal(set) var connecting = 0
    public internal(set) var idle = 0
    public internal(set) var leased = 0
    /// Acquisitions that wait.
    public internal(set) var waiting = 0

    /// Connections handed out, and how many of these had been used before.
    public internal(set) var handedOut: UInt64 = 0
    public internal(set) var reused: UInt64 = 0
    /// Connections made, and attempts that failed.
    public internal(set) var connected: UInt64 = 0
    public internal(set) var connectFailures: UInt64 = 0
    /// Connections that the pool closed: idle too long, too old, used too often, or to make room for another destination.
    public internal(set) var retired: UInt64 = 0
    /// Connections that ended otherwise: closed by the peer, discarded, or not reusable.
    public internal(set) var lost: UInt64 = 0
    /// Acquisitions that waited too long, and those that found the queue full.
    public internal(set) var timedOut: UInt64 = 0
    public internal(set) var refused: UInt64 = 0

    package init() {}
}
