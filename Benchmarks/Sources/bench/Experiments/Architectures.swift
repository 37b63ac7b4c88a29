import BenchmarkHarness

struct Architectures: Experiment {
    let name = "architectures"
    let summary = "GET /plaintext on keep-alive connections, the same handler under every architecture, and the floor"
    let needsWrk = true

    let reading = """
        served      connections that the server works on at once; latencies and requests/s are theirs alone
        CPU µs/req  user and system time of the server and its children for one request; × floor: as a multiple of the C
                    server's in this run; 95 %: where the median lies; is × reactor: "same" where the difference
                    is no greater than chance and noise
        calls       system calls for one request, counted by strace in the first round
        switches    context switches for one request, because the server waited
        memory      proportional set size (PSS), children included: all of it at rest, waiting workers too, and what
                    each open connection adds, without the pages of files; the kernel's socket buffers are not in it
        errors      in all rounds together; late: answered after more than 2 s
        Servers share one CPU, so a second loop can't show its gain here. thread-pool and prefork get as many workers as
        there are connections, unless --workers says otherwise.
        """

    let defaults = Plan(
        subjects: Subject.architectures + Subject.again + [.floor], connections: [1, 16, 64, 256], duration: 2)

    let columns: [Column] = [
        .served,
        .median(.requestsPerSecond, "requests/s", Format.count),
        .median(.p50, "p50", Format.microseconds),
        .median(.p99, "p99", Format.microseconds),
        .median(.cpuPerRequest, "CPU µs/req", Format.cost),
        .ratio(.cpuPerRequest),
        .interval(.cpuPerRequest),
        .difference(.cpuPerRequest),
        .median(.systemCallsPerRequest, "calls", Format.cost),
        .median(.voluntarySwitches, "switches", Format.cost),
        .median(.memoryPerConnection, "memory/conn", Format.bytes),
        .median(.memoryAtRest, "at rest", Format.bytes),
        .errors,
    ]

    func secondsOnce(_ plan: Plan) -> Int { ApartRun.seconds }

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        var run = LoadRun(connections: connections, workers: plan.workers(for: connections), seconds: plan.duration)
        run.measuresApart = plan.round == 0
        return try run.run(subject, in: environment)
    }
}
