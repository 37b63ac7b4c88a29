public import ReactorSMTP

/// How a ``DeliveryAgent`` goes about it. Every limit is set by default.
public struct DeliveryLimits: Sendable {
    // MARK: How much at a time

    /// Destinations that are worked on at one time: 200. Most are waiting for somebody far away, and cost next to nothing.
    public var activeDestinations = 200
    /// Of these, how many may be destinations that were not heard of just now: retries, and what an earlier run left. 150:
    /// however many of them are dead, new mail finds a place at once.
    public var backlogDestinations = 150
    /// Connections in all: 300. Half of what is left of the usual 1024 descriptors is for the server's sessions.
    public var connections = 300
    /// Connections to a destination at first: 2, as most destinations get one message. One more with each window of messages
    /// that were answered.
    public var initialConnections = 2
    /// Connections to one destination: 20, as other relays have it. More would look like an attack.
    public var connectionsPerDestination = 20
    /// Messages on a connection: 100. Servers that count give service to about as many.
    public var messagesPerConnection = 100
    /// Recipients of a message in one transaction: 100, which every server has to take (RFC 5321 section 4.5.3.1.8).
    public var recipientsPerTransaction = 100
    /// Messages taken from the queue at a time, for one destination: 100. Enough to keep its connections busy.
    public var batch = 100
    /// Messages held in memory, for all destinations: 4000. Each active destination holds one at least.
    public var heldMessages = 4000
    /// Bytes of their contents: 64 MiB. A queue holds large ones on the disk.
    public var heldBytes = 64 * 1024 * 1024
    /// Messages written into Maildirs at one time: 4, a thread each.
    public var localDeliveries = 4

    // MARK: Finding a server

    /// MX hosts whose addresses are looked up: 10. Nobody needs more, and a peer could list thousands.
    public var mailExchangers = 10
    /// Addresses tried for one connection: 5 (RFC 5321 section 5.1 asks for two at least).
    public var addresses = 5
    /// How long to try to connect to one address: 30 seconds, well above any network's round trip.
    public var connect: Duration = .seconds(30)
    /// After this long no further address is tried: one minute.
    public var connectInAll: Duration = .seconds(60)

    // MARK: Trying again

    /// The delay after a recipient's first refusal; it doubles with each. Five minutes: less would be refused again by
    /// servers that greylist.
    public var firstRetry: Duration = .seconds(300)
    /// The longest such delay: one hour. RFC 5321 section 4.5.4.1 asks for 30 minutes at least in the long run.
    public var lastRetry: Duration = .seconds(3600)
    /// A message older than this fails at its next refusal instead of waiting on: five days (RFC 5321 section 4.5.4.1).
    public var lifetime: Duration = .seconds(5 * 86_400)
    /// A sender is told once that a message is late when it is older than this: four hours, half a working day. Nil: never.
    public var warnAfter: Duration? = .seconds(4 * 3600)
    /// The first delay of a configured next hop that gives no service; it doubles with each failure. One second: it is being
    /// restarted. No message's own delay grows by it.
    public var firstReconnect: Duration = .seconds(1)
    /// The longest such delay: one minute.
    public var lastReconnect: Duration = .seconds(60)
    /// Sessions in a row that end in the middle of a message, after which a destination counts as dead: 3. One may be a
    /// message's own fault.
    public var failuresInRow = 3
    /// The pause for each batch of dead destinations' messages that are put off: 50 ms. A hundred thousand of them take a
    /// minute so, in which live destinations have most of the time.
    public var refusalPause: Duration = .milliseconds(50)

    // MARK: The queue

    /// How often to look into the queue without being told to: five seconds. A safety net: a process that dies between its
    /// commit and its signal leaves a message that nobody was told of. A clock that was set is seen then, too.
    public var poll: Duration = .seconds(5)
    /// Outcomes that wait for the disk, from which on no message is begun until half of them are written: 200. These are the
    /// messages that come twice if the process is killed (RFC 5321 section 6.1); a disk that keeps up has a tenth of it waiting.
    public var unwrittenOutcomes = 200
    /// How long after outcomes could not be written down it is tried again: one second.
    public var rewrite: Duration = .seconds(1)

    /// The largest content that a notice returns whole, in bytes; of others it has the header: 50,000. Notices go to people
    /// who know what they sent, or to people who did not send it.
    public var returnedContent = 50_000

    public var client = SMTPClientLimits()

    public init() {}
}

/// Delays that double, with up to a fifth more or less, so that many who failed together don't come back together.
struct Backoff {
    let first: Duration
    let last: Duration

    /// The delay after so many failures, the latest included.
    func delay(after failures: Int, using random: inout some RandomNumberGenerator) -> Duration {
        let doublings = min(max(failures, 1) - 1, 30)
        let plain = min(first * (1 << doublings), last)
        return plain * Double.random(in: 0.8...1.2, using: &random)
    }
}
