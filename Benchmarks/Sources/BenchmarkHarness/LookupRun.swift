/// One run of one subject that looks names up, so many at once, in a DNS server of its own. It is a process that ends by
/// itself; what a look-up costs is what more rounds of them add to what one round costs, its start included.
package struct LookupRun {
    private let lookups: Int
    private let environment: Environment

    package init(lookups: Int, in environment: Environment) {
        self.lookups = lookups
        self.environment = environment
    }

    /// Many where a round takes milliseconds, fewer where every system call is watched.
    private static let (timedRounds, countedRounds) = (50, 10)

    package func run(_ subject: Subject) throws -> Run {
        guard let command = subject.command(.lookups, lookups, environment.executables) else {
            throw Failure("\(subject.name) offers no \(Service.lookups.rawValue)")
        }
        var server = try ServerProcess.start(.floor, .names, workers: 1, in: environment)
        let sample = try server.measure { try measure(command + ["\($0.port)", "\(lookups)"]) }
        try server.stop()
        return Run(sample: sample, command: command)
    }

    private func measure(_ command: [String]) throws -> Sample {
        let once = try time(command, rounds: 1)
        let often = try time(command, rounds: 1 + Self.timedRounds)
        let more = Double(lookups * Self.timedRounds)
        let countedOnce = try SystemCalls(output(SystemCalls.counting + command, rounds: 1).printed)
        let counted = try SystemCalls(output(SystemCalls.counting + command, rounds: 1 + Self.countedRounds).printed)
        return [
            .lookupsPerSecond: more / (often.report.seconds - once.report.seconds),
            .cpuPerLookup: Double(often.cpu - once.cpu) / 1000 / more,
            .systemCallsPerLookup: Double(counted.total - countedOnce.total) / Double(lookups * Self.countedRounds),
            // In one round: a resolver may well close its socket when nothing is asked for.
            .sockets: Double(countedOnce["socket", "socketpair"]),
            .threads: Double(counted["clone", "clone3", "fork", "vfork"]),
        ]
    }

    private func time(_ command: [String], rounds: Int) throws -> (report: LoadReport, cpu: Int64) {
        let (printed, cpu) = try output(command, rounds: rounds)
        return (try LoadReport(printed), cpu)
    }

    private func output(_ command: [String], rounds: Int) throws -> (printed: String, cpu: Int64) {
        // Beside the server, on a CPU of its own.
        var child = try ChildProcess(command + ["\(rounds)"], cpu: environment.loadCPU)
        guard let status = try child.wait(milliseconds: 20_000) else {
            throw Failure("\(lookups * rounds) look-ups took more than 20 s")
        }
        guard status == .code(0) else { throw Failure("\(command[0]) ended with \(status); it printed: \(child.printed().oneLine)") }
        let printed = child.printed()
        guard try LoadReport(printed).count == Double(lookups * rounds) else {
            throw Failure("not \(lookups * rounds) look-ups: \(printed.oneLine)")
        }
        return (printed, child.cpuNanoseconds)
    }
}
