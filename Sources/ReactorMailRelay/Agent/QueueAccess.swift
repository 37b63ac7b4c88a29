import Glibc
import ReactorSMTP
import Synchronization

/// A queue with a lease on it, whatever its type: called for batches, never for a message alone.
protocol QueueAccess: AnyObject {
    var wakeDescriptor: CInt { get }
    func clearWake()
    func waitingDestinations() throws(MailQueueError) -> [WaitingDestination]
    func arrivals(after number: Int64) throws(MailQueueError) -> (destinations: [WaitingDestination], newest: Int64)
    func changes() throws(MailQueueError) -> Int64
    func nextAttempt(for destination: String) throws(MailQueueError) -> Int64?
    func due(
        for destination: String, at unixSeconds: Int64, limit: Int, excluding: Set<Int64>
    ) throws(MailQueueError) -> [OutgoingMessage]
    func record(_ attempts: [DeliveryAttempt], then: @escaping @Sendable (Result<Void, MailQueueError>) -> Void)
    func clockWasSetBack(by seconds: Int64, now: Int64) throws(MailQueueError)
    func release()
}

final class LeasedQueue<Queue: MailQueue>: QueueAccess {
    private let queue: Queue
    private let lease: Queue.Lease

    init(_ queue: Queue) throws(MailQueueError) {
        self.queue = queue
        lease = try queue.acquireLease()
    }

    var wakeDescriptor: CInt { queue.wakeDescriptor }
    func clearWake() { queue.clearWake() }
    func waitingDestinations() throws(MailQueueError) -> [WaitingDestination] { try queue.waitingDestinations() }
    func arrivals(after number: Int64) throws(MailQueueError) -> (destinations: [WaitingDestination], newest: Int64) {
        try queue.arrivals(after: number)
    }
    func changes() throws(MailQueueError) -> Int64 { try queue.changes() }
    func nextAttempt(for destination: String) throws(MailQueueError) -> Int64? { try queue.nextAttempt(for: destination) }
    func due(
        for destination: String, at unixSeconds: Int64, limit: Int, excluding: Set<Int64>
    ) throws(MailQueueError) -> [OutgoingMessage] {
        try queue.due(for: destination, at: unixSeconds, limit: limit, excluding: excluding)
    }
    func record(_ attempts: [DeliveryAttempt], then: @escaping @Sendable (Result<Void, MailQueueError>) -> Void) {
        queue.record(attempts, under: lease, then: then)
    }
    func clockWasSetBack(by seconds: Int64, now: Int64) throws(MailQueueError) {
        try queue.clockWasSetBack(by: seconds, now: now)
    }
    func release() { lease.release() }
}

/// How a queue's thread tells the loop's that something is written down.
final class RecordMailbox: Sendable {
    typealias Letter = (number: Int, result: Result<Void, MailQueueError>)
    /// Readable when there is a letter.
    let descriptor: CInt
    private let writing: CInt
    private let letters = Mutex<[Letter]>([])

    init() throws(MailQueueError) {
        var ends: (CInt, CInt) = (-1, -1)
        let result = withUnsafeMutableBytes(of: &ends) { pipe($0.bindMemory(to: CInt.self).baseAddress) }
        if result != 0 { throw .failed("cannot make a pipe: \(String(cString: strerror(errno)))") }
        (descriptor, writing) = ends
        for end in [descriptor, writing] {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
    }

    deinit {
        close(descriptor)
        close(writing)
    }

    /// From any thread.
    func post(_ number: Int, _ result: Result<Void, MailQueueError>) {
        let isFirst = letters.withLock { letters in
            letters.append((number, result))
            return letters.count == 1
        }
        if isFirst { _ = write(writing, "x", 1) }
    }

    func take() -> [Letter] {
        var byte: UInt8 = 0
        while read(descriptor, &byte, 1) > 0 {}
        return letters.withLock { letters in
            defer { letters = [] }
            return letters
        }
    }
}
