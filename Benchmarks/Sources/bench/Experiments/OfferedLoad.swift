import BenchmarkHarness
import Foundation

struct OfferedLoad: Experiment {
    let name = "offered-load"
    let summary = "latency against offered load: the same rates for all, up to most of what the fastest can do"
    let peer = "request a second"
    let peers = "requests a second"
    let mainMetric = Metric.p99
    /// As fast as answers come.
    let calibration: Int? = 0

    let reading = """
        offered    requests a second, sent when they are due, whatever the server does; latency counts from when a request
                   was due, so that a server that stalls pays for all that had to wait
        p50 … max  the latency of those requests; is × reactor: "same" where p99 differs by no more than chance and noise
        First each subject is run as fast as its answers come. The rates are 15 to 70 % of what the fastest managed, the same
        for all: --connections takes other percents, of which more than 70 count as 70, since an open loop costs the generator
        more than a closed one does. A subject beyond its own capacity shows latencies that grow until the end.
        """

    let defaults: Plan = {
        var plan = Plan(
            subjects: Subject.architecturesThatScale + [.floor, .nginx], connections: [15, 30, 50, 70], duration: 4)
        plan.workers = clients
        return plan
    }()

    private static let clients = 64
    /// The greatest percent. As fast as answers come, the generator is what is slow; at a rate of its own it can send less.
    private static let most = 70
    func clients(_ connections: Int) -> Int { Self.clients }

    let columns: [Column] = [
        .median(.requestsPerSecond, "answered/s", Format.count),
        .median(.p50, "p50", Format.microseconds),
        .median(.p90, "p90", Format.microseconds),
        .median(.p99, "p99", Format.microseconds),
        .difference(.p99),
        .median(.p999, "p99.9", Format.microseconds),
        .median(.worst, "max", Format.microseconds),
        .median(.cpuPerRequest, "CPU µs/req", Format.cost),
        .errors,
    ]

    /// Percents become requests a second, in two digits.
    func settled(_ plan: Plan) -> Plan {
        guard let fastest = plan.capacities.values.max(), fastest > 0 else { return plan }
        var plan = plan
        var rates: [Int] = []
        for percent in plan.connections {
            let rate = max(1, fastest * Double(min(percent, Self.most)) / 100)
            let step = pow(10, floor(log10(rate)) - 1)
            let rounded = max(1, Int((rate / step).rounded() * step))
            if !rates.contains(rounded) { rates.append(rounded) }
        }
        plan.connections = rates
        return plan
    }

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        let rate = connections == 0 ? nil : Double(connections)
        let load = ReactorLoad(connections: Self.clients, seconds: plan.duration, rate: rate)
        return try ReactorLoadRun(load, workers: plan.workers(for: Self.clients)).run(subject, in: environment)
    }
}
