import ConnectionHandling

/// Which address is tried next, and when it is enough: a value without I/O or clock.
struct ConnectionAttempts {
    private var targets: ArraySlice<DeliveryTarget>
    private var left: Int
    private let deadline: MonotonicTime
    /// Why the latest did not lead to a session.
    private(set) var reason = "no address was tried"

    init(_ targets: [DeliveryTarget], limits: DeliveryLimits, now: MonotonicTime) {
        self.targets = targets[...]
        left = max(1, limits.addresses)
        deadline = now.advanced(by: limits.connectInAll)
    }

    mutating func next(at now: MonotonicTime) -> DeliveryTarget? {
        guard left > 0, now < deadline, let target = targets.popFirst() else { return nil }
        left -= 1
        return target
    }

    /// - Parameter wasTried: false where this machine has no way to addresses of the kind, which costs no attempt.
    mutating func failed(_ reason: String, wasTried: Bool = true) {
        self.reason = reason
        if !wasTried { left += 1 }
    }
}
