import Foundation

/// One run of our relay with a queue of messages for destinations that are dead, all of them due: how long the list takes,
/// how long the start, and what a message for a destination that lives has of it.
package struct QueueRun {
    private let messages: Int
    private let seconds: Int
    private let environment: Environment

    package init(messages: Int, seconds: Int, in environment: Environment) {
        self.messages = messages
        self.seconds = seconds
        self.environment = environment
    }

    /// Domains that the messages are for. `floor dns` knows an address of each, where nothing listens.
    private static let destinations = 1000

    package func run(_ subject: Subject) throws -> Run {
        let directory = try SpoolDirectory()
        let sink = try MailSink.start(in: environment)
        let names = try ServerProcess.start(.floor, .names, workers: 1, in: environment.ofLoad)
        var place = try RelayPlace(directory, sink: sink.port)
        place.arguments = [
            "--route", "live.example=127.0.0.1:\(sink.port)", "--resolver", "127.0.0.1:\(names.port)",
            "--delivery-port", "\(try ServerProcess.freePort())",
        ]
        place.usesMX = true
        try fill(place.spool)
        var sample: Sample = [.listSeconds: try list(place.spool).seconds]
        _ = try output([environment.executables.reactor, "queue", "retry", "--all", "--spool", place.spool])

        let began = ContinuousClock.now
        var server = try ServerProcess.relay(subject, place, in: environment)
        let command = server.command
        let measured = try server.measure { server in
            sample[.readySeconds] = (ContinuousClock.now - began) / .seconds(1)
            let session = try ClientConnection(port: server.port)
            try session.greet()
            _ = try deliver(session, sink.arrivals)
            sample[.firstDeliverySeconds] = (ContinuousClock.now - began) / .seconds(1)
            return sample.merging(try live(server, session, sink.arrivals, place)) { max($0, $1) }
        }
        try server.stop()
        try names.stop()
        return Run(sample: measured, command: command)
    }

    /// Messages for a destination that lives, one after the other, while the relay goes through the dead ones.
    private func live(
        _ server: borrowing ServerProcess, _ session: ClientConnection, _ arrivals: SinkCount, _ place: RelayPlace
    ) throws -> Sample {
        var delays: [Double] = []
        var peak = UInt64(0)
        let end = ContinuousClock.now + .seconds(seconds)
        while .now < end {
            delays.append(try deliver(session, arrivals))
            peak = max(peak, try server.tree.memory().total)
            usleep(10_000)
        }
        let (listSeconds, refused) = try list(place.spool)
        guard refused > 0 else { throw Failure("no message for a dead destination was tried") }
        return [
            .deliveryMedian: Statistics.median(delays) ?? 0, .deliveryWorst: delays.max() ?? 0, .messagesRefused: Double(refused),
            .listSeconds: listSeconds, .memoryPeak: Double(max(peak, try server.tree.memory().total)),
        ]
    }

    /// - Returns: microseconds from MAIL to the message's arrival.
    private func deliver(_ session: ClientConnection, _ arrivals: SinkCount) throws -> Double {
        let before = try arrivals.messages()
        let began = ContinuousClock.now
        try session.sendMessage()
        try arrivals.wait(for: 1, after: before)
        return (ContinuousClock.now - began) / .microseconds(1)
    }

    private func fill(_ spool: String) throws {
        _ = try output([environment.executables.queueLoad, "fill", spool, "\(messages)", "\(min(messages, Self.destinations))"])
    }

    /// Lists the messages, each of which must be there.
    ///
    /// - Returns: how long it took, and how many were tried and refused.
    private func list(_ spool: String) throws -> (seconds: Double, refused: Int) {
        let began = ContinuousClock.now
        let printed = try output([environment.executables.reactor, "queue", "list", "--spool", spool])
        let took = (ContinuousClock.now - began) / .seconds(1)
        let lines = printed.split(separator: "\n")
        let count = lines.count { $0.contains("@dead-") }
        guard count == messages else { throw Failure("the list has \(count) messages for dead destinations, not \(messages)") }
        return (took, lines.count { $0.contains("@dead-") && $0.contains("refused") })
    }

    private func output(_ command: [String]) throws -> String {
        var child = try ChildProcess(command, cpu: environment.loadCPU)
        guard let status = try child.wait(milliseconds: 120_000) else { throw Failure("\(command[0]) did not end within 120 s") }
        guard status == .code(0) else { throw Failure("\(command[0]) ended with \(status); it printed: \(child.printed().oneLine)") }
        return child.printed()
    }
}
