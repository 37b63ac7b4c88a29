import BenchmarkHarness

struct SMTPIdle: Experiment {
    let name = "smtp-idle"
    let summary = "memory for each of 5,000 idle SMTP sessions after EHLO, a fifth of them after a message, too"
    let service = Service.mail
    let peer = "session"

    let reading = """
        memory  proportional set size that each idle session adds to the relay; the kernel's own memory for a socket is not in
                it. Wanted of reactor: 1.0 KiB at most
        """

    let defaults = Plan(subjects: [.reactor], connections: [5_000], duration: 0)

    let columns: [Column] = [
        .served,
        .median(.memoryPerConnection, "memory/session", Format.bytes),
        .spread(.memoryPerConnection),
        .median(.memoryAtRest, "at rest", Format.bytes),
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        try RelayRun(in: environment).idleSessions(subject, connections)
    }
}
