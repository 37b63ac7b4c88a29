import BenchmarkHarness

struct Burst: Experiment {
    let name = "burst"
    let summary = "from nothing to N clients at once: each connects and makes a request; five times"
    let service = Service.shortHTTP
    let peer = "client at once"
    let peers = "clients at once"
    let mainMetric = Metric.p99

    let reading = """
        p50 … max   from the beginning of the burst to the whole answer of a client, of all bursts together
        all within  from the beginning to the last answer, the median of the bursts
        closed      clients that were turned away or cut off, or had no answer within 10 s
        thread-pool and prefork have 64 workers, unless --workers says otherwise.
        """

    let defaults: Plan = {
        var plan = Plan(
            subjects: Subject.architecturesThatScale + [.floor, .nginx], connections: [64, 256, 1000], duration: 0)
        plan.workers = 64
        return plan
    }()

    let columns: [Column] = [
        .median(.p50, "p50", Format.microseconds),
        .median(.p99, "p99", Format.microseconds),
        .interval(.p99, "95 %", Format.microseconds),
        .difference(.p99),
        .median(.worst, "max", Format.microseconds),
        .median(.burstSeconds, "all within", Format.shortSeconds),
        .median(.cpuPerRequest, "CPU µs/req", Format.cost),
        .errors,
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        try BurstRun(clients: connections, bursts: 5, workers: plan.workers(for: connections)).run(subject, in: environment)
    }
}
