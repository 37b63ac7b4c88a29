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
        left = max(1, limits.addresses)
        self.targets = Self.shared(targets, among: left)[...]
        deadline = now.advanced(by: limits.connectInAll)
    }

    /// A mail exchanger with many addresses, all of them dead, must not hide those behind it: where there are more addresses
    /// than attempts, two are left for each host that follows, as far as they go. The rest of its addresses come last.
    private static func shared(_ targets: [DeliveryTarget], among attempts: Int) -> [DeliveryTarget] {
        if targets.count <= attempts { return targets }
        let hosts = Set(targets.map(\.name)).count
        let most = max(2, attempts - 2 * (hosts - 1))
        var counts: [String: Int] = [:]
        var (first, last): ([DeliveryTarget], [DeliveryTarget]) = ([], [])
        for target in targets {
            counts[target.name, default: 0] += 1
            if counts[target.name, default: 0] <= most { first.append(target) } else { last.append(target) }
        }
        return first + last
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
