import BenchmarkHarness

struct Datagrams: Experiment {
    let name: String
    let summary: String
    /// The peers' kernel moves the datagrams of a socket in one piece (UDP_SEGMENT, UDP_GRO), as a network card would.
    private let joined: Bool
    let service = Service.datagramEcho
    let peer = "socket"

    static let apart = Datagrams(
        name: "datagrams", summary: "UDP echo of 64 bytes, many datagrams to a system call and one by one",
        joined: false)
    static let joined = Datagrams(
        name: "datagrams-joined", summary: "the same, from peers that have the kernel join datagrams (GSO and GRO)",
        joined: true)

    /// Datagrams that a socket has outstanding. All of them fit into the receive buffer that Linux gives a socket by
    /// default, so that what is lost is lost by the server.
    private let window = 48

    let reading = """
        CPU µs/dgram  user and system time of the server for one datagram and its way back; × another subject: as a
                      multiple of its time in this run. Wanted of reactor: 0.50× reactor-one-by-one at most, which takes
                      a turn of its loop for each datagram; floor-one-by-one takes fewer, and is the stricter measure
        lost          datagrams that had not come back after 0.2 s, in all rounds together
        """

    let defaults = Plan(
        subjects: [.reactor, .reactorOneByOne, .floor, .floorOneByOne], connections: [4], duration: 2)

    let columns: [Column] = [
        .median(.datagramsPerSecond, "datagrams/s", Format.count),
        .median(.cpuPerDatagram, "CPU µs/dgram", Format.cost),
        .ratio(.cpuPerDatagram, to: .reactorOneByOne),
        .ratio(.cpuPerDatagram, to: .floorOneByOne),
        .ratio(.cpuPerDatagram),
        .spread(.cpuPerDatagram),
        .total(.datagramsLost, "lost"),
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        try CostRun(service, workers: plan.workers(for: connections), seconds: plan.duration) { port, milliseconds in
            Load("datagrams", port: port, [connections, milliseconds, window, joined ? 1 : 0], in: environment)
        }.run(subject, in: environment) { report, cpu in
            [
                .datagramsPerSecond: report.count / report.seconds,
                .cpuPerDatagram: cpu / 1000 / report.count,
                .datagramsLost: report.lost,
            ]
        }
    }
}
