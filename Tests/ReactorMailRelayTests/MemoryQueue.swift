import Dispatch
import Glibc
import ReactorMailRelay
import ReactorSMTP
import Synchronization

/// A queue in memory that keeps what it is told, fails when it is told to, and writes on a thread of its own.
final class MemoryQueue: MailQueue {
    struct Recipient {
        var recipient: Envelope.Recipient
        var destination: String
        var attempts = 0
        var next: Int64?
        var outcomes: [DeliveryOutcome] = []
        var isHeld = false
    }

    struct Message {
        var envelope: Envelope
        var content: MessageContent
        var recipients: [Recipient]
        var isWarned = false
    }

    struct State {
        var messages: [Int64: Message] = [:]
        /// Those that recipients of a destination have waited for; an index.
        var numbers: [String: [Int64]] = [:]
        var last: Int64 = 0
        var changes: Int64 = 0
        var epoch: Int64 = 0
        var holder: Int64?
        var records: [[DeliveryAttempt]] = []
        var notices: [(envelope: Envelope, content: MessageContent)] = []
        var failure: MailQueueError?
        /// Attempts on messages of these numbers are not taken.
        var refused: Set<Int64> = []
        var readFailure: MailQueueError?
        var reads = 0
        /// Notices are delivered to nobody unless they are to be.
        var queuesNotices = false
    }

    let state = Mutex(State())
    let routes: Routes
    private let writer = DispatchQueue(label: "writer")
    private let pipe: (reading: CInt, writing: CInt)

    init(_ routes: Routes) {
        self.routes = routes
        var ends: (CInt, CInt) = (-1, -1)
        _ = withUnsafeMutableBytes(of: &ends) { Glibc.pipe($0.bindMemory(to: CInt.self).baseAddress) }
        for end in [ends.0, ends.1] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        pipe = ends
    }

    deinit {
        close(pipe.reading)
        close(pipe.writing)
    }

    // MARK: For tests

    @discardableResult
    func add(
        _ recipients: [Envelope.Recipient], from sender: String = "a@a.test", content: MessageContent = .bytes(Array("Subject: x\r\n\r\nbody\r\n".utf8)),
        received: Int64 = 0, due: Int64 = 0, edit: (inout Envelope) -> Void = { _ in }
    ) -> Int64 {
        var envelope = Envelope(id: .random(), sender: sender, recipients: recipients, received: received)
        edit(&envelope)
        return insert(envelope, content, due: due)
    }

    @discardableResult
    func add(_ addresses: String..., due: Int64 = 0) -> Int64 { add(addresses.map { Envelope.Recipient($0) }, received: now, due: due) }

    private var now: Int64 { Int64(time(nil)) }

    private func insert(_ envelope: Envelope, _ content: MessageContent, due: Int64) -> Int64 {
        let recipients = envelope.recipients.map {
            Recipient(recipient: $0, destination: routes.destination(for: $0.address), next: due)
        }
        return state.withLock { state in
            state.last += 1
            state.messages[state.last] = Message(envelope: envelope, content: content, recipients: recipients)
            for name in Set(recipients.map(\.destination)) { state.numbers[name, default: []].append(state.last) }
            return state.last
        }
    }

    func wake() { _ = write(pipe.writing, "x", 1) }

    func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            state.changes += 1
        }
        wake()
    }

    var waiting: Int { state.withLock { $0.messages.values.reduce(0) { $0 + $1.recipients.count { $0.next != nil } } } }
    var notices: [(envelope: Envelope, content: MessageContent)] { state.withLock { $0.notices } }
    /// What became of each recipient, attempt by attempt.
    func outcomes(of number: Int64 = 1, _ index: Int = 0) -> [DeliveryOutcome] {
        state.withLock { $0.messages[number]?.recipients[index].outcomes ?? [] }
    }
    func next(_ number: Int64, _ index: Int = 0) -> Int64? { state.withLock { $0.messages[number]?.recipients[index].next } }

    // MARK: MailQueue

    func commit(
        _ envelope: Envelope, _ content: MessageContent, then: @escaping @Sendable (Result<Void, MessageStoreError>) -> Void
    ) {
        _ = insert(envelope, content, due: 0)
        wake()
        then(.success(()))
    }

    var wakeDescriptor: CInt { pipe.reading }
    func clearWake() {
        var bytes: UInt64 = 0
        while read(pipe.reading, &bytes, 8) > 0 {}
    }

    struct Lease: MailQueueLease {
        let epoch: Int64
        let queue: MemoryQueue
        func release() { queue.state.withLock { if $0.holder == epoch { $0.holder = nil } } }
    }

    func acquireLease() throws(MailQueueError) -> Lease {
        let epoch: Int64? = state.withLock { state in
            if state.holder != nil { return nil }
            state.epoch += 1
            state.holder = state.epoch
            return state.epoch
        }
        guard let epoch else { throw .leaseHeld("held") }
        return Lease(epoch: epoch, queue: self)
    }

    private func reading<Value>(_ body: (State) -> Value) throws(MailQueueError) -> Value {
        let result: Result<Value, MailQueueError> = state.withLock { state in
            state.reads += 1
            if let failure = state.readFailure { return .failure(failure) }
            return .success(body(state))
        }
        return try result.get()
    }

    private static func destinations(_ state: State, after number: Int64) -> [WaitingDestination] {
        var found: [String: Int64] = [:]
        for key in max(0, number)..<state.last {
            guard let message = state.messages[key + 1] else { continue }
            for recipient in message.recipients where !recipient.isHeld {
                if let next = recipient.next { found[recipient.destination] = min(found[recipient.destination] ?? .max, next) }
            }
        }
        return found.map { WaitingDestination(name: $0.key, nextAttempt: $0.value) }
    }

    func waitingDestinations() throws(MailQueueError) -> [WaitingDestination] { try reading { Self.destinations($0, after: 0) } }

    func arrivals(after number: Int64) throws(MailQueueError) -> (destinations: [WaitingDestination], newest: Int64) {
        try reading { (number >= $0.last ? [] : Self.destinations($0, after: number), $0.last) }
    }

    func changes() throws(MailQueueError) -> Int64 { try reading { $0.changes } }

    func nextAttempt(for destination: String) throws(MailQueueError) -> Int64? {
        try reading { state in
            (state.numbers[destination] ?? []).lazy.compactMap { number in
                state.messages[number]?.recipients.lazy.filter { $0.destination == destination && !$0.isHeld }.compactMap(\.next).min()
            }.min()
        }
    }

    func due(
        for destination: String, at unixSeconds: Int64, limit: Int, excluding: Set<Int64>
    ) throws(MailQueueError) -> [OutgoingMessage] {
        try reading { state in
            var found: [(Int64, OutgoingMessage)] = []
            for number in state.numbers[destination] ?? [] where !excluding.contains(number) {
                guard let message = state.messages[number] else { continue }
                let due = message.recipients.indices.filter { index in
                    let recipient = message.recipients[index]
                    return recipient.destination == destination && !recipient.isHeld && (recipient.next ?? .max) <= unixSeconds
                }
                if due.isEmpty { continue }
                var envelope = message.envelope
                envelope.recipients = []
                let outgoing = OutgoingMessage(
                    number: number, envelope: envelope,
                    recipients: due.map {
                        OutgoingMessage.Recipient(
                            position: Int64($0), message.recipients[$0].recipient, attempts: message.recipients[$0].attempts)
                    },
                    content: message.content, isWarned: message.isWarned)
                found.append((due.compactMap { message.recipients[$0].next }.min() ?? 0, outgoing))
            }
            return found.sorted { ($0.0, $0.1.number) < ($1.0, $1.1.number) }.prefix(limit).map(\.1)
        }
    }

    func record(
        _ attempts: [DeliveryAttempt], under lease: Lease, then: @escaping @Sendable (Result<Void, MailQueueError>) -> Void
    ) {
        writer.async { [self] in
            let result: Result<Void, MailQueueError> = state.withLock { state in
                if state.holder != lease.epoch { return .failure(.leaseLost) }
                if let failure = state.failure { return .failure(failure) }
                if attempts.contains(where: { state.refused.contains($0.message.number) }) { return .failure(.failed("refused")) }
                state.records.append(attempts)
                for attempt in attempts { Self.apply(attempt, to: &state) }
                return .success(())
            }
            if state.withLock({ $0.queuesNotices }) {
                for notice in attempts.flatMap(\.notices) { _ = insert(notice.envelope, notice.content, due: 0) }
                wake()
            }
            then(result)
        }
    }

    private static func apply(_ attempt: DeliveryAttempt, to state: inout State) {
        let number = attempt.message.number
        for (recipient, outcome) in zip(attempt.message.recipients, attempt.outcomes) {
            let index = Int(recipient.position)
            state.messages[number]?.recipients[index].outcomes.append(outcome)
            state.messages[number]?.recipients[index].attempts += 1
            let isOver =
                switch outcome {
                case .delivered, .failed: true
                case .deferred, .leftOver: false
                }
            state.messages[number]?.recipients[index].next = isOver ? nil : attempt.nextAttempt
        }
        if attempt.warned { state.messages[number]?.isWarned = true }
        state.notices += attempt.notices
    }
}
