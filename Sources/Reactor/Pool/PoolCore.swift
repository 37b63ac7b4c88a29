import ConnectionHandling

struct PoolRequest<Handler: ReusableConnectionHandler & ~Copyable> {
    let destination: SocketAddress
    let deadline: MonotonicTime
    let onFailure: (PoolError) -> Void
    let onLease: (consuming PoolLease<Handler>) -> Void
}

/// The driver of a ``PoolPolicy`` on a loop. All work is done in one callback of the loop's own: whoever reports
/// something may be a handler in the middle of a call, or a user in the middle of anything.
final class PoolCore<Handler: ReusableConnectionHandler & ~Copyable>: LoopOwned {
    private var policy: PoolPolicy
    private let connectionLimits: ConnectionLimits
    private let options: ConnectOptions
    private let makeHandler: (SocketAddress) -> Handler
    private var connections: [PoolPlace: LoopConnection<PooledHandler<Handler>>] = [:]
    private var requests: [PoolTicket: PoolRequest<Handler>] = [:]
    /// Not yet acted upon.
    private var refused: [(PoolRequest<Handler>, PoolError)] = []
    private var returned: [(place: PoolPlace, forReuse: Bool)] = []
    private var isScheduled = false
    /// The pool is gone; leases may be left.
    private var isAbandoned = false
    private var timer: Watcher?
    private var timerFires = MonotonicTime.distantFuture

    init(
        _ loop: EventLoop, _ limits: PoolLimits, _ connectionLimits: ConnectionLimits, _ options: ConnectOptions,
        _ makeHandler: @escaping (SocketAddress) -> Handler
    ) {
        policy = PoolPolicy(limits)
        self.connectionLimits = connectionLimits
        self.options = options
        self.makeHandler = makeHandler
        super.init(loop: loop)
        loop.own(self)
    }

    var statistics: PoolStatistics { policy.statistics }

    // MARK: From users

    func acquire(
        _ destination: SocketAddress, within time: Duration?, _ onFailure: @escaping (PoolError) -> Void,
        _ onLease: @escaping (consuming PoolLease<Handler>) -> Void
    ) -> PoolTicket? {
        guard isOwned else { return nil }
        defer { schedule() }
        loop.updateTimeOutsideTurns()
        let request = PoolRequest(
            destination: destination, deadline: loop.clock.now.advanced(by: time ?? policy.limits.waitingTime),
            onFailure: onFailure, onLease: onLease)
        do throws(PoolError) {
            let ticket = try policy.acquire(destination, until: request.deadline)
            requests[ticket] = request
            return ticket
        } catch {
            refused.append((request, error))
            return nil
        }
    }

    func cancel(_ ticket: PoolTicket) {
        policy.cancel(ticket)
        requests[ticket] = nil
        schedule()
    }

    func connection(_ place: PoolPlace) -> LoopConnection<PooledHandler<Handler>>? {
        isOwned ? connections[place] : nil
    }

    func giveBack(_ place: PoolPlace, forReuse: Bool) {
        returned.append((place, forReuse))
        schedule()
    }

    func close() {
        policy.close()
        schedule()
    }

    func abandon() {
        isAbandoned = true
        close()
    }

    /// The loop is going: nobody is told.
    override func end() {
        guard isOwned else { return }
        timer?.cancel()
        loop.disown(self)
        // An attempt and its connection hold each other until one of them is told; the loop ends the others.
        for connection in connections.values where !connection.isOpen { connection.close() }
        connections = [:]
        // What they hold may give leases back.
        var dropped: [PoolTicket: PoolRequest<Handler>] = [:]
        swap(&dropped, &requests)
        _ = take(&refused)
    }

    // MARK: Work

    private func schedule() {
        guard isOwned, !isScheduled else { return }
        isScheduled = true
        loop.after(.zero) { [weak self] in self?.work() }
    }

    private func work() {
        isScheduled = false
        for (request, error) in take(&refused) { request.onFailure(error) }
        for (place, forReuse) in take(&returned) { takeBack(place, forReuse) }
        while isOwned, let action = policy.nextAction(at: loop.clock.now) { perform(action) }
        guard isOwned else { return }
        if isAbandoned && policy.isDrained && returned.isEmpty && refused.isEmpty { return end() }
        armTimer()
    }

    private func take<Element>(_ list: inout [Element]) -> [Element] {
        var taken: [Element] = []
        swap(&taken, &list)
        return taken
    }

    private func perform(_ action: PoolPolicy.Action) {
        switch action {
        case .connect(let place, let destination):
            connect(place, destination)
        case .handOut(let place, let ticket):
            handOut(place, ticket)
        case .close(let place):
            connections.removeValue(forKey: place)?.close()
        case .fail(let ticket, let error):
            requests.removeValue(forKey: ticket)?.onFailure(error)
        }
    }

    private func handOut(_ place: PoolPlace, _ ticket: PoolTicket) {
        guard let request = requests.removeValue(forKey: ticket) else { return }
        let connection = connections[place]
        let isFit = connection?.withHandler { $0.handOut(on: $1) } ?? false
        if isFit && connections[place] != nil { return request.onLease(PoolLease(self, place)) }
        requests[ticket] = request
        policy.takeBack(ticket, for: request.destination, until: request.deadline, insteadOf: place)
        connections[place] = nil
        connection?.close(.aborting)
    }

    private func connect(_ place: PoolPlace, _ destination: SocketAddress) {
        connections[place] = loop.connect(
            to: destination, limits: connectionLimits, options: options,
            onFailure: { [weak self] error in self?.connectFailed(place, .system(error)) },
            makeHandler: { [makeHandler, weak self] in
                PooledHandler(makeHandler(destination)) { [weak self] event in
                    switch event {
                    case .connected: self?.connected(place)
                    case .failed(let reason): self?.connectFailed(place, .handshake(reason))
                    case .closed: self?.closed(place)
                    }
                }
            })
    }

    private func connected(_ place: PoolPlace) {
        guard isOwned else { return }
        // One that is no longer wanted was closed before it got here.
        _ = policy.connected(place, at: loop.clock.now)
        schedule()
    }

    private func connectFailed(_ place: PoolPlace, _ error: ConnectFailure) {
        guard isOwned else { return }
        connections[place] = nil
        policy.connectFailed(place, error, at: loop.clock.now)
        schedule()
    }

    private func closed(_ place: PoolPlace) {
        guard isOwned else { return }
        connections[place] = nil
        policy.closed(place)
        schedule()
    }

    private func takeBack(_ place: PoolPlace, _ forReuse: Bool) {
        guard isOwned, let connection = connections[place] else { return }
        if forReuse && connection.withHandler({ $0.giveBack(on: $1) }) ?? false { return policy.released(place, at: loop.clock.now) }
        connections[place] = nil
        policy.closed(place)
        connection.close(.aborting)
    }

    /// One that fires early is set again then: deadlines move away with every use.
    private func armTimer() {
        let next = policy.deadline
        if next >= timerFires { return }
        timer?.cancel()
        timerFires = next
        let delay = loop.clock.now.nanoseconds(until: next)
        timer = loop.after(.nanoseconds(Int64(clamping: delay))) { [weak self] in
            guard let self else { return }
            timerFires = .distantFuture
            work()
        }
    }
}
