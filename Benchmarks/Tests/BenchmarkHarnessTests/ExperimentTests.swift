import Testing

@testable import BenchmarkHarness

/// Records what it is asked to run, and fails where told to.
private struct Scripted: Experiment {
    let name = "scripted", summary = "", reading = ""
    let defaults = Plan(subjects: [.reactor, .floor], connections: [1, 64], duration: 1)
    let columns: [Column] = [
        .median(.cpuPerRequest, "cpu", Format.cost), .ratio(.cpuPerRequest), .served, .errors,
    ]
    var failing: (subject: String, connections: Int)?

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        if let failing, failing == (subject.name, connections) { throw Failure("it hung") }
        let cost = subject.name == "floor" ? 4.0 : 5.0
        return Run(
            sample: [.cpuPerRequest: cost, .served: 1, .timeouts: subject.name == "floor" ? 0 : 2], command: ["x"])
    }
}

@Suite struct ExperimentTests {
    private func results(_ experiment: Scripted) throws -> (Results, order: [String]) {
        var order: [String] = []
        let environment = Environment(executables: Executables(reactor: "", floor: "", load: ""))
        let results = try Runner(experiment, plan: experiment.defaults, in: environment).run(
            starting: { step, isKnown in
                if !isKnown { order.append("\(step.round) \(step.connections) \(step.subject.name)") }
            },
            finished: { _, _ in })
        return (results, order)
    }

    @Test func subjectsAreInterleavedAndTakeTurnsAtTheFirstPlace() throws {
        let (_, order) = try results(Scripted())
        #expect(
            order == [
                "0 1 reactor", "0 1 floor", "0 64 reactor", "0 64 floor",
                "1 1 floor", "1 1 reactor", "1 64 floor", "1 64 reactor",
                "2 1 reactor", "2 1 floor", "2 64 reactor", "2 64 floor",
            ])
    }

    @Test func whatFailsIsShownAndTheRestGoesOn() throws {
        let (results, order) = try results(Scripted(failing: ("reactor", 1)))
        #expect(results.hasFailures)
        #expect(order.filter { $0.hasSuffix(" 1 reactor") }.count == 1)
        let table = results.table(Scripted().columns)
        #expect(table.contains("reactor  failed: it hung"))
        #expect(table.contains("1.25×"))
    }

    @Test func theTableComparesWithTheFloorOfTheSameConnections() throws {
        let (results, _) = try results(Scripted())
        #expect(!results.hasFailures)
        #expect(
            results.table(Scripted().columns) == """
                subject   cpu  × floor   served  errors
                ───────  ────  ───────  ───────  ──────

                1 connection
                reactor  5.00    1.25×      all  6 late
                floor    4.00    1.00×      all       0

                64 connections
                reactor  5.00    1.25×  1 of 64  6 late
                floor    4.00    1.00×  1 of 64       0
                """)
    }

    @Test func columnsOfManyRounds() throws {
        func cells(_ columns: [Column], _ values: [Double]) -> [String?] {
            func series(_ subject: Subject, _ values: [Double]) -> Series {
                var series = Series(subject: subject.name, connections: 1)
                for value in values { series.add([.memoryGrowth: value]) }
                return series
            }
            let all = [series(.reactor, values), series(.nginx, [2, 4, 3]), series(.floor, [])]
            return columns.map { $0.cell(all[0], all) }
        }
        let columns: [Column] = [
            .greatest(.memoryGrowth, "", Format.count), .total(.memoryGrowth, ""), .constant("x", ""),
            .ratio(.memoryGrowth, to: .nginx), .ratio(.memoryGrowth), .verdict(.memoryGrowth, atMost: 9),
        ]
        #expect(cells(columns, [6, 9, 1]) == ["9", "16", "x", "2.00×", nil, "yes"])
        #expect(cells(columns, [6, 9.1, 1]).last == "NO")
        #expect(cells(columns, []) == [nil, "0", "x", nil, nil, nil])
    }

    @Test func theTableNamesWhatIsConnected() {
        let results = Results(series: [Series(subject: "a", connections: 1), Series(subject: "a", connections: 2000)])
        #expect(results.table([], peer: "socket").contains("\n1 socket\n"))
        #expect(results.table([], peer: "socket").contains("\n2,000 sockets\n"))
    }

    @Test func aMetricIsComparedWithAnotherOfTheSameSubject() {
        var series = Series(subject: "reactor", connections: 1)
        for (sync, async) in [(4.0, 6.0), (5.0, 5.0), (6.0, 7.0)] { series.add([.cpuPerRequest: sync, .cpuPerAsyncRequest: async]) }
        #expect(Column.ratio(.cpuPerAsyncRequest, toOwn: .cpuPerRequest, "").cell(series, []) == "1.20×")
        #expect(Column.ratio(.p50, toOwn: .cpuPerRequest, "").cell(series, []) == nil)
    }

    @Test func peersAreLeftOutWhereTheyAreNotBuilt() {
        let executables = Executables(reactor: "", floor: "", load: "", peers: "/nowhere", peerPackage: "/nowhere")
        let absent = Set(Subject.all.filter { !$0.isInstalled(executables) }.map(\.name))
        #expect(absent.isSuperset(of: ["nio", "hummingbird", "http-parser", "jsonrpc-cpp", "twisted", "python-threads", "aiosmtpd"]))
        #expect(absent.isDisjoint(with: Subject.architectures.map(\.name) + ["floor", "reactor-again"]))
    }

    @Test func processesHaveABound() throws {
        let fork = try Subject.named("fork")
        try fork.withinReach(of: 1024)
        #expect(throws: Failure.self) { try fork.withinReach(of: 1025) }
        let thread = try Subject.named("thread")
        #expect(thread.outOfReach(of: 16_384) == nil)
        #expect(thread.outOfReach(of: 16_385)?.description == "left out: more than 16,384 threads are not tried")
    }

    /// Each service is offered by whom the experiments compare, and by nobody who cannot.
    @Test func services() throws {
        func offering(_ service: Service) -> Set<String> {
            Set(Subject.all.filter { $0.offers(service) }.map(\.name))
        }
        let others = ["reactor-again", "reactor-poll", "reactor-select", "reactor-linuxaio", "reactor-iouring"]
        let ours = Set(Subject.architectures.map(\.name) + others)
        let files: Set = ["nginx", "h2o", "apache-prefork", "apache-worker", "apache-event"]
        #expect(offering(.http) == ours.union(files).union(["floor", "nio", "hummingbird", "twisted", "python-threads"]))
        #expect(offering(.shortHTTP) == ours.union(files).union(["floor", "twisted", "python-threads"]))
        #expect(offering(.bytes) == ours.union(files).union(["floor", "twisted", "python-threads"]))
        for service in [Service.block, .burn] {
            #expect(offering(service) == ours.union(["reactor-offload", "twisted", "python-threads"]))
        }
        #expect(offering(.mix) == ours.union(["reactor-offload", "python-threads"]))
        #expect(offering(.rpc) == ours.union(["floor", "jsonrpc-cpp"]))
        #expect(offering(.sink) == ours.union(["floor", "smtp-sink", "aiosmtpd"]))
        #expect(offering(.mail) == ["reactor", "postfix", "smtp-sink"])
        #expect(offering(.json) == ours.union(["nio", "hummingbird"]))
        #expect(offering(.asyncHTTP) == ours)
        for service in [Service.kibibyte, .kibibytes64, .mebibytes10] { #expect(offering(service) == ours.union(["nginx"])) }
        #expect(offering(.heads) == ["reactor", "http-parser"])
        #expect(offering(.echo) == ours.union(["floor", "twisted"]))
        #expect(offering(.datagramEcho) == ours.union(["floor", "floor-one-by-one", "reactor-one-by-one"]))
        #expect(offering(.characters) == ours)
        #expect(offering(.names) == ["floor"])
        #expect(offering(.lookups) == ["reactor", "floor"])
        for service in [Service.https, .shortHTTPS, .httpsFile] { #expect(offering(service) == ours.union(["nginx"])) }
        #expect(throws: Failure.self) {
            _ = try ServerProcess.start(.nginx, .echo, workers: 1, in: .ofThisPackage).port
        }
    }

    @Test(arguments: [("flor", "floor"), ("Reactor", "reactor"), ("prefrok", "prefork"), ("reactor-2", "reactor")])
    func theNearestNameComesFirst(typed: String, meant: String) {
        #expect(nearestNames(to: typed, in: Subject.all.map(\.name)).contains(meant))
    }

    @Test(arguments: [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("same", "same", 0), ("ab", "ba", 2)])
    func distances(from: String, to: String, distance: Int) {
        #expect(editDistance(from, to) == distance)
        #expect(editDistance(to, from) == distance)
    }
}
