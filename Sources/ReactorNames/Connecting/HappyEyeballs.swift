package import ConnectionHandling
package import Reactor

/// Which address of a host to try, and when: Happy Eyeballs version 2 (RFC 8305), with no I/O and no clock.
///
/// A driver reports what happened, with the time, and then performs what ``nextAction(at:)`` says until it says nothing
/// more; it comes back at the ``deadline``. What to do next is derived from what is known at that moment, never queued: an
/// answer that comes late takes its place among the addresses that are still to be tried (section 3).
package struct HappyEyeballs: Sendable {
    /// In the order in which to ask for their addresses (section 3).
    package enum Family: CaseIterable, Sendable {
        case ipv6, ipv4

        package func contains(_ address: SocketAddress) -> Bool {
            switch address {
            case .ipv6: self == .ipv6
            case .ipv4: self == .ipv4
            case .unix: false
            }
        }
    }

    package enum Action: Equatable, Sendable {
        /// Begin to connect; attempts are numbered from 0.
        case attempt(Int, SocketAddress)
        /// Give the attempt up. Nothing about it need be reported any more.
        case cancel(Int)
        /// The attempt has won, and all others have been given up. Nothing follows.
        case finish(winner: Int, SocketAddress)
        /// Nothing is left to try; ``error`` says why. Nothing follows.
        case fail
    }

    private enum Answer {
        case pending
        case known
        case failed(ResolutionError)

        var isPending: Bool { if case .pending = self { true } else { false } }
    }

    private struct Attempt {
        enum State { case running, failed(SystemError), connected, cancelled }
        let address: SocketAddress
        var state = State.running

        var isRunning: Bool { if case .running = state { true } else { false } }
    }

    private enum Phase {
        case trying
        /// The others are being given up; nil if there is no winner.
        case ending(winner: Int?)
        case ended
    }

    let host: String
    let port: UInt16
    private let options: HappyEyeballsOptions
    private let end: MonotonicTime
    private var now: MonotonicTime
    private var phase = Phase.trying
    private var ipv6 = Answer.pending
    private var ipv4 = Answer.pending
    /// Still to be tried, the best first.
    private var untried: [Destination] = []
    private var attempts: [Attempt] = []
    private var lastStart = MonotonicTime(nanoseconds: 0)
    /// An attempt has failed since then: the next need not wait.
    private var hasFailedSince = false
    /// Until when IPv4 addresses wait for the answer about IPv6 ones.
    private var patience: MonotonicTime?
    private var ranOut = false

    /// - Parameter host: and `port`, for the error.
    package init(host: String, port: UInt16, options: HappyEyeballsOptions, at time: MonotonicTime) {
        self.host = host
        self.port = port
        self.options = options
        now = time
        end = time.advanced(by: options.timeout)
    }

    // MARK: What happened

    /// The answer to one of the two questions: the host's addresses of this family, none perhaps.
    ///
    /// - Parameter sourceOf: asked once for each address that counts: from where the system would connect to it, as in
    ///   ``Destination/source``.
    package mutating func resolved(
        _ family: Family, _ addresses: [SocketAddress], at time: MonotonicTime, sourceOf: (SocketAddress) -> SocketAddress?
    ) {
        advance(to: time)
        set(family, .known)
        var known = Set(attempts.map(\.address) + untried.map(\.address))
        let fresh = addresses.prefix(max(options.maxAddresses, 0)).filter { known.insert($0).inserted }
        untried = Destination.sorted(untried + fresh.map { Destination($0, from: sourceOf($0)) })
        if family == .ipv4, ipv6.isPending, !untried.isEmpty { patience = now.advanced(by: options.resolutionDelay) }
    }

    package mutating func failed(_ family: Family, _ error: ResolutionError, at time: MonotonicTime) {
        advance(to: time)
        set(family, .failed(error))
    }

    package mutating func attemptFailed(_ number: Int, _ error: SystemError, at time: MonotonicTime) {
        advance(to: time)
        guard isRunning(number) else { return }
        attempts[number].state = .failed(error)
        hasFailedSince = true
    }

    /// False if the attempt is no longer wanted: its connection is the driver's to close.
    package mutating func connected(_ number: Int, at time: MonotonicTime) -> Bool {
        advance(to: time)
        guard case .trying = phase, isRunning(number) else { return false }
        attempts[number].state = .connected
        phase = .ending(winner: number)
        return true
    }

    // MARK: What to do next

    /// When to come back although nothing has happened.
    package var deadline: MonotonicTime {
        guard case .trying = phase else { return .distantFuture }
        return min(end, nextStart ?? end)
    }

    package mutating func nextAction(at time: MonotonicTime) -> Action? {
        advance(to: time)
        if case .trying = phase {
            if now >= end { ranOut = true }
            if let nextStart, nextStart <= now { return startNext() }
            if !isExhausted { return nil }
            phase = .ending(winner: nil)
        }
        guard case .ending(let winner) = phase else { return nil }
        if let number = attempts.firstIndex(where: \.isRunning) {
            attempts[number].state = .cancelled
            return .cancel(number)
        }
        phase = .ended
        return winner.map { .finish(winner: $0, attempts[$0].address) } ?? .fail
    }

    /// Why no address could be connected to, so far.
    package var error: ConnectByNameError {
        var error = ConnectByNameError(host: host, port: port)
        for attempt in attempts {
            if case .failed(let reason) = attempt.state { error.attempts.append(.init(attempt.address, reason)) }
            if case .cancelled = attempt.state { error.attempts.append(.init(outOfTime: attempt.address)) }
        }
        if case .failed(let reason) = ipv6 { error.ipv6Failure = reason }
        if case .failed(let reason) = ipv4 { error.ipv4Failure = reason }
        error.untried = untried.count
        error.ranOutOfTime = ranOut
        return error
    }

    /// The moment at which another attempt may begin; nil while there is none to make.
    private var nextStart: MonotonicTime? {
        guard !ranOut, attempts.count < options.maxAttempts, nextIndex != nil else { return nil }
        if attempts.isEmpty { return ipv6.isPending ? patience ?? now : now }
        if hasFailedSince { return now }
        return lastStart.advanced(by: options.effectiveAttemptDelay)
    }

    /// Asked when no attempt may begin now.
    private var isExhausted: Bool {
        if ranOut { return true }
        if attempts.contains(where: \.isRunning) { return false }
        return attempts.count >= options.maxAttempts || isFullyAnswered
    }

    private var isFullyAnswered: Bool { !ipv6.isPending && !ipv4.isPending }

    /// Which of the addresses is next. Those without a route are, once nothing better can come: they would fail at once, and
    /// use up the attempts of a machine that has one family only. They are tried for the error's sake.
    private var nextIndex: Int? {
        let routed = untried.prefix { $0.source != nil }
        if let index = routed.firstIndex(where: { isOfNextFamily($0.address) }) ?? routed.indices.first { return index }
        return isFullyAnswered ? untried.indices.first : nil
    }

    private mutating func startNext() -> Action? {
        guard let index = nextIndex else { return nil }
        let address = untried.remove(at: index).address
        attempts.append(Attempt(address: address))
        lastStart = now
        hasFailedSince = false
        return .attempt(attempts.count - 1, address)
    }

    /// Section 4: some of the first family, and then one of each in turn.
    private func isOfNextFamily(_ address: SocketAddress) -> Bool {
        guard let first = attempts.first, let last = attempts.last else { return true }
        let isFirstRun =
            attempts.count < options.firstFamilyCount && attempts.allSatisfy { $0.address.family == first.address.family }
        return (address.family == last.address.family) == isFirstRun
    }

    private mutating func set(_ family: Family, _ answer: Answer) {
        switch family {
        case .ipv6: ipv6 = answer
        case .ipv4: ipv4 = answer
        }
    }

    private func isRunning(_ number: Int) -> Bool { attempts.indices.contains(number) && attempts[number].isRunning }

    private mutating func advance(to time: MonotonicTime) { now = max(now, time) }
}
