import BenchmarkHarness

struct SMTPLarge: Experiment {
    let name = "smtp-large"
    let summary = "messages of 50 MiB, all at once, through a relay to a next hop that stops reading for a second: the relay's memory"
    let service = Service.mail
    let peer = "message"

    let reading = """
        growth    what the relay's proportional set size grew by at the most, files' pages not counted, read every 10 ms
        by size   what each message of 50 MiB makes it grow by more than one of 25 MiB; 25 MiB if it were held. Wanted of
                  reactor: 512 KiB at most, a message's buffers, as they may not be seen full
        """

    // Both take long enough to be seen often: a small message is gone between two looks.
    private static let (small, large) = (25 * 1024 * 1024, 50 * 1024 * 1024)

    let defaults = Plan(subjects: [.reactor, .postfix], connections: [1, 8], duration: 0)

    let columns: [Column] = [
        .greatest(.memoryGrowthOfSmall, "growth, 25 MiB", Format.bytes),
        .greatest(.memoryGrowth, "growth, 50 MiB", Format.bytes),
        .greatest(.memoryGrowthBySize, "by size", Format.bytes),
        .verdict(.memoryGrowthBySize, atMost: 512 * 1024),
        .median(.memoryAtRest, "at rest", Format.bytes),
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        let run = RelayRun(in: environment)
        let small = try run.memory(subject, messages: connections, size: Self.small).sample
        let large = try run.memory(subject, messages: connections, size: Self.large)
        var sample = large.sample
        sample[.memoryGrowthOfSmall] = small[.memoryGrowth]
        let more = (large.sample[.memoryGrowth] ?? 0) - (small[.memoryGrowth] ?? 0)
        sample[.memoryGrowthBySize] = more / Double(connections)
        return Run(sample: sample, command: large.command)
    }
}
