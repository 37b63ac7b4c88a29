import BenchmarkHarness
import Foundation

struct Pipelined: Experiment {
    let name = "pipelined"
    let summary = "GET /plaintext, 16 requests pipelined on each of 64 connections: what a request costs beside its I/O"
    let needsWrk = true

    let reading = """
        CPU µs/req  user and system time of the server for one of the sixteen requests in a read; × floor: as a multiple
                    of the C server's in this run. Wanted of reactor: 2.00× at most
        wrk is the slower side here: requests/s says more about it than about the servers.
        """

    let defaults = Plan(subjects: [.reactor, .floor, .nginx, .nio], connections: [64], duration: 3)

    let columns: [Column] = [
        .median(.requestsPerSecond, "requests/s", Format.count),
        .median(.cpuPerRequest, "CPU µs/req", Format.cost),
        .ratio(.cpuPerRequest),
        .spread(.cpuPerRequest),
        .errors,
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        guard let script = Bundle.module.path(forResource: "pipelined", ofType: "lua") else {
            throw Failure("pipelined.lua is missing beside the executable: build the package again")
        }
        return try LoadRun(
            connections: connections, workers: plan.workers(for: connections), seconds: plan.duration, script: script
        ).run(subject, in: environment)
    }
}
