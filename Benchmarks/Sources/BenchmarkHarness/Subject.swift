import Glibc

/// A server that is measured: how it is started, and what is expected of it.
package struct Subject: Sendable {
    /// What one types after `--subjects`.
    package let name: String
    package let summary: String
    /// The program and its arguments for so many connections; nil where it does not offer the service. The program
    /// listens on 127.0.0.1 and announces itself by a line `listening on SCHEME://127.0.0.1:PORT`, unless
    /// ``configuration`` is set.
    let command: @Sendable (_ service: Service, _ workers: Int, Executables) -> [String]?
    /// For a program that cannot choose a free port itself: its configuration file for a port and a directory of its
    /// own. The path of the file is added to the command.
    var configuration: (@Sendable (_ service: Service, _ port: UInt16, _ directory: String, Material) -> String)?
    /// The response has the floor's header fields and no others, so that the same work is compared.
    var hasExactFields = true
    /// It is our own command line, under one architecture or another.
    package var isReactor = false
    /// More connections than this are not tried: each one is a process.
    var maximumConnections = Int.max

    /// For a mail relay: writes what it needs into its directory, and returns the program and its arguments. It listens on
    /// the port that it is given.
    var relay: (@Sendable (RelayPlace, Executables) throws -> [String])?
    /// It is no relay but the end of the way: what arrives is counted at it.
    var isSink = false
    /// On SIGTERM it dies of the signal; others end with status 0.
    var diesOfSignal = false

    package func offers(_ service: Service) -> Bool {
        if service == .mail { return relay != nil }
        return command(service, 1, Executables(reactor: "", floor: "", load: "")) != nil
    }

    /// It comes from the package `Peers`, which only `make bench` builds.
    var isPeer = false

    /// Its program is there, as far as can be told: what is built here is looked for elsewhere.
    package func isInstalled(_ executables: Executables) -> Bool {
        if relay != nil, !isReactor { return isMailInstalled }
        if isPeer { return access(executables.peer(name), X_OK) == 0 }
        return name != Subject.nginx.name || ChildProcess.output(of: ["nginx", "-v"]) != nil
    }

    func isWithinReach(of connections: Int) -> Bool { connections <= maximumConnections }

    package func withinReach(of connections: Int) throws(Failure) {
        guard connections <= maximumConnections else {
            throw Failure(
                "\(name) needs a process for each connection: at most \(maximumConnections), not \(connections)")
        }
    }
}

/// Where the programs are that aren't found by name, and what servers are given to serve.
package struct Executables: Sendable {
    package let reactor: String
    package let floor: String
    /// What makes the load that wrk cannot make.
    package let load: String
    package let material: Material
    /// Where the servers are that ours is measured beside; each is named like its subject, with `-peer` behind it.
    package let peers: String
    /// What looks names up with our resolver, and what reads heads with our parser, built beside `reactor`.
    package var lookups: String { besideReactor + "lookup-load" }
    /// What fills a spool.
    var queueLoad: String { besideReactor + "queue-load" }
    /// Where the heads are that parsers are given.
    package let heads: String
    package var parser: String { besideReactor + "parser-load" }
    func peer(_ subject: String) -> String { peers + "/" + subject + "-peer" }
    private var besideReactor: String { String(reactor.lastIndex(of: "/").map { reactor[...$0] } ?? "") }

    package init(
        reactor: String, floor: String, load: String, peers: String = "", heads: String = "",
        material: Material = Material(directory: "")
    ) {
        self.reactor = reactor
        self.floor = floor
        self.load = load
        self.peers = peers
        self.heads = heads
        self.material = material
    }
}

extension Subject {
    package static let floor = Subject(
        name: "floor", summary: "hand-written C on libev: the least it can cost",
        command: { service, _, executables in
            switch service {
            case .http, .shortHTTP: [executables.floor, "http"]
            case .echo: [executables.floor, "echo"]
            case .datagramEcho: [executables.floor, "udp-echo"]
            case .names: [executables.floor, "dns"]
            case .lookups: [executables.load, "lookups"]
            case .characters, .https, .shortHTTPS, .httpsFile, .json, .asyncHTTP, .kibibyte, .kibibytes64, .mebibytes10, .heads,
                .mail: nil
            }
        })

    package static let floorOneByOne = Subject(
        name: "floor-one-by-one", summary: "the floor, one datagram a system call",
        command: { service, _, executables in
            service == .datagramEcho ? [executables.floor, "udp-echo", "0", "1"] : nil
        })

    /// The same handler under each architecture, by name.
    package static let architectures: [Subject] = [
        reactor,
        .reactor("reactor-2-loops", "two event loops, a thread each", ["--architecture", "reactor", "--loops", "2"]),
        .reactor("thread", "a thread for each connection", ["--architecture", "thread"]),
        .reactor("thread-pool", "a fixed number of threads", ["--architecture", "thread-pool"], workers: true),
        .reactor("fork", "a process for each connection", ["--architecture", "fork"], processes: true),
        .reactor(
            "prefork", "a fixed number of processes", ["--architecture", "prefork"], workers: true, processes: true),
        .reactor("iterative", "one connection after the other", ["--architecture", "iterative"]),
    ]

    package static let reactor: Subject = {
        var subject = Subject.reactor("reactor", "one event loop", ["--architecture", "reactor", "--loops", "1"])
        subject.relay = reactorRelay
        return subject
    }()

    package static let reactorOneByOne = Subject(
        name: "reactor-one-by-one", summary: "one event loop, one datagram a system call",
        command: { service, workers, executables in
            guard service == .datagramEcho else { return nil }
            return reactor.command(service, workers, executables).map { $0 + ["--datagram-batch", "1"] }
        },
        isReactor: true)

    package static let all: [Subject] =
        architectures + [reactorOneByOne, floor, floorOneByOne, nginx, nio, hummingbird, httpParser, postfix, smtpSink]

    private static func reactor(
        _ name: String, _ summary: String, _ options: [String], workers: Bool = false, processes: Bool = false
    ) -> Subject {
        Subject(
            name: name, summary: summary,
            command: { service, count, executables in
                let sample: String, address: String
                switch service {
                case .http, .shortHTTP, .https, .shortHTTPS, .httpsFile, .json, .asyncHTTP, .kibibyte, .kibibytes64, .mebibytes10:
                    (sample, address) = ("http", "127.0.0.1:0")
                case .echo: (sample, address) = ("echo", "127.0.0.1:0")
                case .datagramEcho: (sample, address) = ("echo", "udp:127.0.0.1:0")
                case .characters: (sample, address) = ("chargen", "127.0.0.1:0")
                // Whoever looks up has no architecture.
                case .lookups: return name == "reactor" ? [executables.lookups] : nil
                case .heads: return name == "reactor" ? [executables.parser] : nil
                case .names, .mail: return nil
                }
                let material = executables.material
                return [executables.reactor, "serve", sample, "--listen", address] + options
                    + (workers ? ["--workers", "\(count)"] : [])
                    + (service.usesTLS ? ["--tls-cert", material.certificate, "--tls-key", material.key] : [])
                    + (service == .httpsFile || service.file != nil ? ["--root", material.root] : [])
            },
            isReactor: true, maximumConnections: processes ? 1024 : .max)
    }

    /// - Throws: ``Failure`` that lists the nearest names.
    package static func named(_ name: String) throws(Failure) -> Subject {
        if let subject = all.first(where: { $0.name == name }) { return subject }
        throw Failure.unknown("subject", name, among: all.map(\.name))
    }
}

extension Failure {
    package static func unknown(_ kind: String, _ name: String, among names: [String]) -> Failure {
        let near = nearestNames(to: name, in: names)
        let hint = near.isEmpty ? "there are: \(names.joined(separator: ", "))"
            : "did you mean \(near.joined(separator: ", "))?"
        return Failure("no \(kind) is named \"\(name)\"; \(hint)")
    }
}
