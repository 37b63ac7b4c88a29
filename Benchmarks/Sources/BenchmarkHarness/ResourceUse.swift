/// CPU time and context switches of a server and its descendants.
package struct ResourceUse: Equatable, Sendable {
    /// Nanoseconds.
    package var user: Int64 = 0
    package var system: Int64 = 0
    /// Context switches: because a thread waited, and because another was to run.
    package var voluntary: Int64 = 0
    package var involuntary: Int64 = 0

    package init() {}

    package init(user: Int64, system: Int64, voluntary: Int64, involuntary: Int64) {
        (self.user, self.system) = (user, system)
        (self.voluntary, self.involuntary) = (voluntary, involuntary)
    }
}

/// CPU time of a tree of processes at one moment: exact as a whole, in the kernel's ticks apart.
package struct TreeTime: Equatable, Sendable {
    var nanoseconds: UInt64 = 0
    var userTicks: UInt64 = 0
    var systemTicks: UInt64 = 0

    /// The time since an earlier moment, for each of so many requests. /proc tells user and system apart in ticks of 10 ms
    /// only; the whole, which is exact, is shared out as they are. Without a tick there is only the whole.
    package func cost(since before: TreeTime, requests: Double) -> Sample {
        guard nanoseconds >= before.nanoseconds, requests > 0 else { return [:] }
        let whole = Double(nanoseconds - before.nanoseconds) / 1000 / requests
        // A process that ends between the two takes its ticks to its parent, never away; but only if somebody reaps it.
        let user = Double(userTicks) - Double(before.userTicks), system = Double(systemTicks) - Double(before.systemTicks)
        guard user >= 0, system >= 0, user + system > 0 else { return [.cpuPerRequest: whole] }
        return [
            .cpuPerRequest: whole,
            .userPerRequest: whole * user / (user + system),
            .systemPerRequest: whole * system / (user + system),
        ]
    }
}

extension ProcessTree {
    /// Context switches of the threads that live. Those that have ended are in nobody's /proc, only in what the process
    /// is told to have used when it is reaped.
    package func liveSwitches() throws -> ResourceUse {
        var sum = ResourceUse()
        for member in try members() {
            for thread in entries("/proc/\(member.id)/task") {
                guard let text = readText("/proc/\(member.id)/task/\(thread)/status") else { continue }
                let switches = ThreadSwitches(text)
                sum.voluntary += switches.voluntary
                sum.involuntary += switches.involuntary
            }
        }
        return sum
    }
}

/// The context switches in `/proc/PID/task/TID/status`.
struct ThreadSwitches: Equatable {
    private(set) var voluntary: Int64 = 0
    private(set) var involuntary: Int64 = 0

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            guard let value = line.split(whereSeparator: \.isWhitespace).last.flatMap({ Int64($0) }) else { continue }
            if line.hasPrefix("voluntary_ctxt_switches:") { voluntary = value }
            if line.hasPrefix("nonvoluntary_ctxt_switches:") { involuntary = value }
        }
    }
}

extension ResourceUse {
    /// Context switches of a server from its start to its end, for each of all the requests that it had meanwhile, those
    /// of the warm-up too: threads that ended with it are in the one as in the other. What was before the first request is
    /// taken off.
    package func switches(since start: ResourceUse, requests: Double) -> Sample {
        guard requests > 0 else { return [:] }
        return [
            .voluntarySwitches: Double(max(0, voluntary - start.voluntary)) / requests,
            .involuntarySwitches: Double(max(0, involuntary - start.involuntary)) / requests,
        ]
    }
}
