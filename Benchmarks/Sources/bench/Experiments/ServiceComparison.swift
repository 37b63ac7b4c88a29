import BenchmarkHarness

/// One service of one handler, each connection asking again as soon as it is answered: the same for all subjects, so that what
/// differs is how they share connections among threads and processes, or what they are written in.
struct ServiceComparison: Experiment {
    let name: String
    let summary: String
    let service: Service
    let defaults: Plan
    var peer = "connection"
    let mainMetric = Metric.p99
    /// What the reader should know of this one, in front of what holds for all.
    var remark: String
    /// What `reactor load` is told besides.
    var options: [String] = []
    /// System calls and idle connections are measured on servers of their own, in the first round.
    var measuresApart = false

    var reading: String {
        remark + """

            requests/s, p50, p99  as `reactor load` sees them; is × reactor: "same" where what stands before it differs by no
                                  more than chance and noise
            CPU µs/req            user and system time of the server and its children for one request, and of it in the kernel
            switches              context switches for one request, of all its threads: voluntary, to wait, and involuntary
            fairness              Jain's index of what the connections were given: 1 is the same for all, 1/64 all for one
            """
    }

    var columns: [Column] {
        var columns: [Column] = [
            .median(.requestsPerSecond, "requests/s", Format.count),
            .median(.p50, "p50", Format.microseconds),
            .median(.p99, "p99", Format.microseconds),
            .difference(.p99),
            .median(.cpuPerRequest, "CPU µs/req", Format.cost),
            .interval(.cpuPerRequest),
            .difference(.cpuPerRequest),
            .median(.systemPerRequest, "in kernel", Format.cost),
        ]
        if defaults.subjects.contains(where: { $0.name == Subject.floor.name }) { columns.append(.ratio(.cpuPerRequest)) }
        if measuresApart {
            columns += [
                .median(.systemCallsPerRequest, "calls/req", Format.cost),
                .median(.memoryPerIdleConnection, "memory/idle", Format.bytes),
            ]
        }
        return columns + [
            .median(.voluntarySwitches, "switches", Format.cost),
            .median(.involuntarySwitches, "involuntary", Format.cost),
            .median(.fairness, "fairness", Format.cost),
            .errors,
        ]
    }

    func secondsOnce(_ plan: Plan) -> Int { measuresApart ? ApartRun.seconds : 0 }

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        let load = ReactorLoad(connections: connections, seconds: plan.duration, options: options)
        var run = ReactorLoadRun(load, workers: plan.workers(for: connections))
        run.service = service
        run.measuresApart = measuresApart && plan.round == 0
        return try run.run(subject, in: environment)
    }
}

extension ServiceComparison {
    /// All of this are run by default, with what is written here.
    static let all = [
        blocking, burning, mixed, bodies, newConnections, backends, peers, echoArchitectures, smtpArchitectures, rpcArchitectures,
    ]

    private static func plan(_ subjects: [Subject], _ connections: [Int] = [64], seconds: Int = 2, workers: Int? = nil) -> Plan {
        var plan = Plan(subjects: subjects, connections: connections, duration: seconds)
        plan.workers = workers
        return plan
    }

    private static let handlersThatTakeTime =
        Subject.architecturesThatScale + [.reactorOffload, .twisted, .pythonThreads]

    static let blocking = ServiceComparison(
        name: "blocking", summary: "GET /block: a handler whose thread sleeps for 1 ms, as it would for a database",
        service: .block, defaults: plan(handlersThatTakeTime, [1, 16, 64, 256]),
        remark: """
            A loop that sleeps answers nobody: 1,000 requests a second are all that one loop can do. Threads and processes sleep
            side by side, as many as there are; so does the pool of reactor-offload, of as many threads.
            """)

    static let burning = ServiceComparison(
        name: "burning", summary: "GET /burn: a handler that takes 1 ms of CPU", service: .burn,
        defaults: plan(handlersThatTakeTime),
        remark: """
            The CPU is one, and 1,000 requests a second are all that anything can do with it: what differs is who waits, and how
            fairly.
            """)

    static let mixed = ServiceComparison(
        name: "mixed", summary: "GET /mix: of ten requests one sleeps 1 ms, one takes 1 ms of CPU, and eight do neither",
        service: .mix, defaults: plan(Subject.architecturesThatScale + [.reactorOffload, .pythonThreads], [16, 64, 256]),
        remark: """
            On a loop, the eight wait behind the two. p50 is mostly theirs; p99 of those that sleep or burn.
            """)

    static let bodies = ServiceComparison(
        name: "bodies", summary: "GET /bytes: 64 KiB out of memory, on 64 connections", service: .bytes,
        defaults: plan(Subject.architecturesThatScale + [.floor, .nginx, .h2o] + Subject.apaches),
        remark: "What is sent weighs more than who sends it. nginx, h2o and Apache send a file of as many bytes.")

    static let newConnections = ServiceComparison(
        name: "new-connections", summary: "GET /plaintext, a new connection each time, 64 at once", service: .shortHTTP,
        defaults: plan(Subject.architecturesThatScale + [.floor, .nginx]),
        remark: """
            What a connection costs from its beginning to its end, where each is a thread or a process too. Each request says
            Connection: close; the client resets what is left once it has the answer.
            """,
        options: ["--reconnect"])

    static let backends = ServiceComparison(
        name: "backends", summary: "GET /plaintext on the loop's ways to ask the kernel: epoll, poll, select, and experimental ones",
        service: .http, defaults: plan([.reactor] + Subject.backends, [64, 512]),
        remark: """
            poll and select look at every connection each time, epoll only at those that something happened to. linuxaio and
            io_uring are experimental in libev, and are left out where the kernel refuses them.
            """,
        measuresApart: true)

    static let peers = ServiceComparison(
        name: "peers", summary: "GET /plaintext on 64 connections: ours and the servers that people have",
        service: .http,
        defaults: plan([.reactor, .reactorAgain, .floor, .nginx, .h2o] + Subject.apaches + [.nio, .hummingbird, .twisted, .pythonThreads]),
        remark: """
            Each is tuned for one CPU and for keep-alive; Benchmarks keeps the configurations, with the reason for each setting.
            Those that are not installed are left out.
            """,
        measuresApart: true)

    static let echoArchitectures = ServiceComparison(
        name: "echo-architectures", summary: "TCP echo of 64 bytes on 64 connections, under every architecture", service: .echo,
        defaults: plan(Subject.everyArchitecture + [.floor, .twisted]),
        remark: "No protocol to speak of: what is left is the architecture.")

    static let smtpArchitectures = ServiceComparison(
        name: "smtp-architectures", summary: "messages of 4 KiB to a sink that takes and drops them, 50 sessions, under every architecture",
        service: .sink, defaults: plan(Subject.everyArchitecture + [.floor, .smtpSink, .aiosmtpd], [50]), peer: "session",
        remark: """
            A request is a message. Nothing is stored, so this is the protocol's cost and not a relay's: smtp-relay has that.
            """)

    static let rpcArchitectures = ServiceComparison(
        name: "rpc-architectures", summary: "JSON-RPC 2.0 calls of subtract over HTTP on 64 connections, under every architecture",
        service: .rpc, defaults: plan(Subject.everyArchitecture + [.floor, .jsonRPC]),
        remark: "A call is decoded and its answer encoded by Foundation's JSON; the floor looks for what it needs and no more.")
}
