import BenchmarkHarness

struct Lookups: Experiment {
    let name = "lookups"
    let summary = "a thousand look-ups at once, A records of different names, in a DNS server on this machine"
    let service = Service.lookups
    let peer = "look-up"

    let reading = """
        calls/look-up   system calls for one look-up, counted by strace over ten thousand of them
        CPU µs/look-up  user and system time of the process that looks up; floor only writes questions and compares answers
        sockets         that were opened for a thousand look-ups. Wanted of reactor: 1
        threads         that were started beside the first, processes too. Wanted of reactor: 0
        """

    let defaults = Plan(subjects: [.reactor, .floor], connections: [1000], duration: 0)

    let columns: [Column] = [
        .median(.lookupsPerSecond, "look-ups/s", Format.count),
        .median(.systemCallsPerLookup, "calls/look-up", Format.cost),
        .median(.cpuPerLookup, "CPU µs/look-up", Format.cost),
        .ratio(.cpuPerLookup),
        .spread(.cpuPerLookup),
        .greatest(.sockets, "sockets", Format.count),
        .greatest(.threads, "threads", Format.count),
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        try LookupRun(lookups: connections, in: environment).run(subject)
    }
}
