import Glibc

/// One run of one mail relay between smtp-source and smtp-sink, with a spool of its own.
package struct RelayRun {
    private let environment: Environment

    package init(in environment: Environment) { self.environment = environment }

    // MARK: How many messages, at what cost

    /// Relays for some seconds, after a second or so to start processes and fill caches; how many messages, the warming up
    /// says. The time ends with the last message's arrival; CPU time is read when the relay is quiet again, so that what
    /// it writes down afterwards is in it.
    package func throughput(_ subject: Subject, sessions: Int, size: Int, seconds: Int) throws -> Run {
        let source = MailSource(sessions: sessions, size: size)
        return try run(subject) { server, arrivals in
            let first = try source.send(10 * sessions, port: server.port, to: arrivals, in: environment)
            let warm = min(max(Int(Double(10 * sessions) / first), 10 * sessions), 10_000)
            let rate = Double(warm) / (try source.send(warm, port: server.port, to: arrivals, in: environment))
            let count = min(max(Int(rate) * seconds, 20 * sessions), 200_000)
            let before = try quietCPU(of: server.tree)
            let took = try source.send(count, port: server.port, to: arrivals, in: environment)
            let cpu = Double(try quietCPU(of: server.tree) - before) / 1000 / Double(count)
            let perSecond = Double(count) / took
            return subject.isSink
                ? [.messages: Double(count), .unkeptPerSecond: perSecond, .cpuPerUnkept: cpu]
                : [.messages: Double(count), .messagesPerSecond: perSecond, .cpuPerMessage: cpu]
        }
    }

    /// CPU time of the relay, once it has spent less than 1 % of it for a fifth of a second.
    private func quietCPU(of tree: ProcessTree) throws -> UInt64 {
        var last = try tree.cpuNanoseconds()
        for _ in 0..<100 {
            usleep(200_000)
            let now = try tree.cpuNanoseconds()
            if now < last + 2_000_000 { return now }
            last = now
        }
        throw Failure("the relay was still busy 20 s after the last message had arrived")
    }

    // MARK: Memory

    /// What memory grows by at the most, with so many messages of `size` at once. The sink reads nothing for a second
    /// behind each DATA, long enough for the relay to hold whatever it would hold.
    package func memory(_ subject: Subject, messages: Int, size: Int) throws -> Run {
        try run(subject, stall: 1) { server, arrivals in
            // What it costs to relay at all is not what is asked.
            _ = try MailSource(sessions: messages, size: 1024).send(messages, port: server.port, to: arrivals, in: environment)
            let atRest = try server.tree.memory()
            var peak = atRest.withoutFiles
            var tick = 0
            _ = try MailSource(sessions: messages, size: size).send(messages, port: server.port, to: arrivals, in: environment) {
                tick += 1
                if tick % 10 == 0 { peak = max(peak, try server.tree.memory().withoutFiles) }
            }
            return [.memoryAtRest: Double(atRest.total), .memoryGrowth: Double(peak) - Double(atRest.withoutFiles)]
        }
    }

    /// What each idle session adds. Every fifth has sent a message before, and all that was sent has arrived.
    package func idleSessions(_ subject: Subject, _ count: Int) throws -> Run {
        try run(subject) { server, arrivals in
            let before = count / 5
            _ = try MailSource(sessions: 50, size: 1000).send(before, port: server.port, to: arrivals, in: environment)
            let atRest = try server.tree.memory()
            let herd = try ConnectionHerd(count: count, port: server.port, service: .mail)
            try herd.sendMessages(every: 5)
            try arrivals.wait(for: before + (count + 4) / 5, after: 0)
            let loaded = try server.tree.memory()
            let served = server.sockets().caughtUp
            herd.disperse()
            try server.awaitRest()
            var sample = Sample.memory(atRest: atRest, loaded: loaded, connections: count)
            sample[.served] = Double(served)
            return sample
        }
    }

    // MARK: The parts

    private func run(
        _ subject: Subject, stall: Int = 0, measure: (borrowing ServerProcess, SinkCount) throws -> Sample
    ) throws -> Run {
        let directory = try SpoolDirectory()
        let sink = try MailSink.start(stall: stall, in: environment)
        var server = try ServerProcess.relay(subject, RelayPlace(directory, sink: sink.port), in: environment)
        let command = server.command
        let arrivals = subject.isSink ? server.arrivals : sink.arrivals
        let sample = try server.measure { try measure($0, arrivals) }
        try server.stop()
        return Run(sample: sample, command: command)
    }
}
