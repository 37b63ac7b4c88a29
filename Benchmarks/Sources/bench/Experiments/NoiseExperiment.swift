import BenchmarkHarness

struct NoiseExperiment: Experiment {
    let name = "noise"
    let summary = "reactor beside reactor-again, which is the same: what a difference must exceed to be one"

    let reading = """
        is × reactor  "same", or the harness sees a difference where there is none: wanted in 19 of 20 comparisons
        spread        half the distance between the rounds' extremes, relative to the median
        """

    let defaults = Plan(subjects: [.reactor] + Subject.again, connections: [1, 16, 64, 256], duration: 2, rounds: 5)

    let columns: [Column] = [
        .median(.requestsPerSecond, "requests/s", Format.count),
        .interval(.requestsPerSecond, "95 %", Format.count),
        .difference(.requestsPerSecond, beyondNoise: false),
        .median(.p99, "p99", Format.microseconds),
        .difference(.p99, beyondNoise: false),
        .median(.cpuPerRequest, "CPU µs/req", Format.cost),
        .interval(.cpuPerRequest),
        .difference(.cpuPerRequest, beyondNoise: false),
        .spread(.cpuPerRequest),
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        let load = ReactorLoad(connections: connections, seconds: plan.duration)
        return try ReactorLoadRun(load, workers: plan.workers(for: connections)).run(subject, in: environment)
    }
}
