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

extension Sample {
    /// Microseconds for each request, between two readings of ``ProcessTree/cpuNanoseconds()``; nil where a child ended that
    /// nobody reaped.
    static func cpu(from before: UInt64, to after: UInt64, requests: Double) -> Double? {
        after >= before && requests > 0 ? Double(after - before) / 1000 / requests : nil
    }

    /// Adds what is only known once the server has ended, of its whole life.
    ///
    /// Context switches, for each of all the requests that it had, those of the warm-up too: threads that ended with it are in
    /// the one as in the other. What was before the first request is taken off.
    ///
    /// User and system time: /proc tells them apart in ticks of 10 ms, cut off for each process, which among many leaves
    /// little. What the kernel tells whoever reaps the server is of all its threads and reaped children together, so the CPU
    /// time of a request, which is exact, is shared out as that is. The start and the end of the server are in the proportion.
    package mutating func shareOut(_ used: ResourceUse, since start: ResourceUse, requests: Double) {
        guard requests > 0 else { return }
        self[.voluntarySwitches] = Double(Swift.max(0, used.voluntary - start.voluntary)) / requests
        self[.involuntarySwitches] = Double(Swift.max(0, used.involuntary - start.involuntary)) / requests
        let (user, system) = (Double(used.user), Double(used.system))
        guard let whole = self[.cpuPerRequest], user + system > 0 else { return }
        self[.userPerRequest] = whole * user / (user + system)
        self[.systemPerRequest] = whole * system / (user + system)
    }
}
