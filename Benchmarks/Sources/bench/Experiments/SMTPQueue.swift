import BenchmarkHarness

struct SMTPQueue: Experiment {
    let name = "smtp-queue"
    let summary = "a relay with 100,000 queued messages for 1,000 dead domains, all due when it starts, beside one message"
    let service = Service.mail
    let peer = "queued message"

    let reading = """
        list      the slower of two `reactor queue list`: before the relay runs, and while it does. Wanted: 1.00 s at most
        ready     from the start of the process to its greeting
        live      from the start of the process to the arrival of a message for a destination that lives. Wanted: 2.00 s at most
        p50       from MAIL to the arrival of such messages, one at a time, while the dead ones are tried: 1,000 domains are
        worst     looked up and connected to in vain, beside them, on one CPU. Wanted: milliseconds, as beside one message
        refused   messages for dead domains that were tried meanwhile and put off
        memory    proportional set size at the most, files' pages included. Wanted: 150 MiB at most
        """

    let defaults = Plan(subjects: [.reactor], connections: [1, 100_000], duration: 10)

    let columns: [Column] = [
        .median(.listSeconds, "list", Format.seconds),
        .median(.readySeconds, "ready", Format.seconds),
        .median(.firstDeliverySeconds, "live", Format.seconds),
        .median(.deliveryMedian, "p50", Format.microseconds),
        .greatest(.deliveryWorst, "worst", Format.microseconds),
        .median(.messagesRefused, "refused", Format.count),
        .greatest(.memoryPeak, "memory", Format.bytes),
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        guard subject.isReactor else { throw Failure("smtp-queue fills the spool of reactor only") }
        return try QueueRun(messages: connections, seconds: plan.duration, in: environment).run(subject)
    }
}
