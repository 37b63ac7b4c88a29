import ConnectionHandling
import ReactorSMTP

/// Which address is tried next, and when it is enough: a value without I/O or clock.
struct ConnectionAttempts {
    private var targets: ArraySlice<DeliveryTarget>
    private var left: Int
    private let deadline: MonotonicTime
    /// Why the latest did not lead to a session: what is said of all of them.
    private(set) var report = DeliveryReport.here(4, 4, 1, "no address was tried")

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
    mutating func failed(_ report: DeliveryReport, wasTried: Bool = true) {
        self.report = report
        // Whoever lets nobody in may let us in tomorrow (RFC 5321 section 4.5.4.1 leaves it to the sender).
        self.report.status.kind = 4
        if !wasTried { left += 1 }
    }

    /// The same address once more, in another way.
    mutating func again(_ target: DeliveryTarget) {
        targets = [target] + targets
        left += 1
    }
}
