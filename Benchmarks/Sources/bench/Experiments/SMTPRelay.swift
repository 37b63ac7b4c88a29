import BenchmarkHarness

struct SMTPRelay: Experiment {
    let name = "smtp-relay"
    let summary = "messages of 4 KiB from smtp-source through a relay to smtp-sink, each on the disk before it is acknowledged"
    let service = Service.mail
    let peer = "session"

    var reading: String {
        """
        durable   messages relayed in a second, from the first that is sent to the arrival of the last; spools are in
                  \(SpoolDirectory.parent), \(SpoolDirectory.fileSystem). Wanted of reactor: 6.00× Postfix's at least
        CPU µs    user and system time of the relay with all its processes, for one message. Wanted of reactor: 0.20× at most
        unkept    the same without a relay: smtp-source straight into smtp-sink, which keeps nothing; the two together can't
                  do more
        """
    }

    private static let size = 4096

    let defaults = Plan(subjects: [.reactor, .postfix, .smtpSink], connections: [50], duration: 5)

    let columns: [Column] = [
        .median(.messagesPerSecond, "durable/s", Format.count),
        .ratio(.messagesPerSecond, to: .postfix),
        .spread(.messagesPerSecond),
        .median(.cpuPerMessage, "CPU µs", Format.cost),
        .ratio(.cpuPerMessage, to: .postfix),
        .spread(.cpuPerMessage),
        .median(.messages, "messages", Format.count),
        .median(.unkeptPerSecond, "unkept/s", Format.count),
        .median(.cpuPerUnkept, "CPU µs unkept", Format.cost),
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        try RelayRun(in: environment).throughput(subject, sessions: connections, size: Self.size, seconds: plan.duration)
    }
}
