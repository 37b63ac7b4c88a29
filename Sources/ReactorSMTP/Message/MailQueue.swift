/// A queue of accepted messages, as the one who delivers them sees it.
///
/// It remembers for each recipient what became of it, and when to try again; who is being delivered to at this moment is
/// for the one who delivers to remember, so that a process that dies leaves no claim behind. Nothing here blocks for longer
/// than a look into memory or into the page cache, but for ``record(_:under:then:)``, which does not wait at all.
public protocol MailQueue: MessageStore {
    associatedtype Lease: MailQueueLease

    /// Readable when something has arrived, or an operator has changed something, in whatever process; until
    /// ``clearWake()``.
    var wakeDescriptor: CInt { get }
    func clearWake()

    /// Makes the caller the only one who delivers, until the lease is given back or the process ends; fails if another
    /// holds it. What an earlier holder still tries to write down is refused from now on.
    func acquireLease() throws(MailQueueError) -> Lease

    /// Every destination that somebody waits for. One that an operator has held back is not among them.
    func waitingDestinations() throws(MailQueueError) -> [WaitingDestination]

    /// The destinations of messages that arrived behind the message `number`, and the newest number.
    func arrivals(after number: Int64) throws(MailQueueError) -> (destinations: [WaitingDestination], newest: Int64)

    /// Counts what an operator has changed: when it differs, ``waitingDestinations()`` is to be read again.
    func changes() throws(MailQueueError) -> Int64

    /// When the next recipient of this destination is due, in seconds since 1970, now or in the past where one is already; nil
    /// if nobody waits, or an operator has held it back. Asked whenever a destination has nothing more to do: a queue that
    /// can look one up does so; by default all are read.
    func nextAttempt(for destination: String) throws(MailQueueError) -> Int64?

    /// The messages with recipients of this destination that are due, longest waiting first, each with those of its
    /// recipients that are due. What cannot be read is set aside (quarantined) and left out.
    ///
    /// - Parameter excluding: numbers of messages that are being delivered.
    func due(
        for destination: String, at unixSeconds: Int64, limit: Int, excluding: Set<Int64>
    ) throws(MailQueueError) -> [OutgoingMessage]

    /// The wall clock was set back by so many seconds, and is `now`: attempts that were to be made later are to be made as long
    /// from now as they would have been, or who waits does so until the clock is there again. Blocks; by default nothing is done.
    func clockWasSetBack(by seconds: Int64, now: Int64) throws(MailQueueError)

    /// Writes down what became of attempts, all together in one transaction that others may share, and stores the notices
    /// that they give rise to in the same one. A message that nobody waits for any more is removed, unless somebody has
    /// failed and the queue is set to keep those for people to see.
    ///
    /// - Parameter then: told once, on any thread, after the disk has it: a failure means that nothing was written.
    func record(
        _ attempts: [DeliveryAttempt], under lease: Lease,
        then: @escaping @Sendable (Result<Void, MailQueueError>) -> Void)
}

extension MailQueue {
    public func clockWasSetBack(by seconds: Int64, now: Int64) throws(MailQueueError) {}

    public func nextAttempt(for destination: String) throws(MailQueueError) -> Int64? {
        try waitingDestinations().first { $0.name == destination }?.nextAttempt
    }
}

/// A destination and when it is next due.
public struct WaitingDestination: Sendable, Equatable {
    public var name: String
    /// In seconds since 1970; the earliest of its recipients.
    public var nextAttempt: Int64

    public init(name: String, nextAttempt: Int64) {
        self.name = name
        self.nextAttempt = nextAttempt
    }
}

/// The right to deliver from a queue. Its holder's number is larger than that of any holder before.
public protocol MailQueueLease: Sendable {
    var epoch: Int64 { get }
    /// Gives it back. Also done when nobody holds the lease any more.
    func release()
}

/// What became of one attempt to deliver a message.
public struct DeliveryAttempt: Sendable {
    public var message: OutgoingMessage
    /// One for each of the message's recipients, in their order.
    public var outcomes: [DeliveryOutcome]
    /// When to try those again who are deferred, in seconds since 1970.
    public var nextAttempt: Int64
    /// Messages about it that are to be sent, such as bounces: to be in the queue if, and only if, the outcomes are.
    public var notices: [(envelope: Envelope, content: MessageContent)]
    /// The sender was told that it takes longer, so that it is not told again.
    public var warned: Bool

    public init(
        message: OutgoingMessage, outcomes: [DeliveryOutcome], nextAttempt: Int64,
        notices: [(envelope: Envelope, content: MessageContent)] = [], warned: Bool = false
    ) {
        self.message = message
        self.outcomes = outcomes
        self.nextAttempt = nextAttempt
        self.notices = notices
        self.warned = warned
    }
}

/// A queue cannot do what was asked, or not now.
public enum MailQueueError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another process delivers from the queue.
    case leaseHeld(String)
    /// Somebody else has taken the lease since: nothing may be delivered or written down any more.
    case leaseLost
    /// No room.
    case full(String)
    case failed(String)

    public var description: String {
        switch self {
        case .leaseHeld(let why), .full(let why), .failed(let why): why
        case .leaseLost: "another process has taken over the queue"
        }
    }
}
