// Our own command line, under each architecture and on each of the loop's backends.

extension Subject {
    /// The same handler under each architecture, by name.
    package static let architectures: [Subject] = [
        reactor,
        .reactor("reactor-2-loops", "two event loops, a thread each", ["--architecture", "reactor", "--loops", "2"]),
        .reactor(
            "thread", "a thread for each connection", ["--architecture", "thread", "--connection-workers", "16384"],
            most: 16_384, of: "threads"),
        .reactor(
            "thread-pool", "a fixed number of threads", ["--architecture", "thread-pool"], workers: "--workers", most: 10_000,
            of: "threads"),
        .reactor("fork", "a process for each connection", ["--architecture", "fork"], most: 1024, of: "processes"),
        .reactor(
            "prefork", "a fixed number of processes", ["--architecture", "prefork"], workers: "--workers", most: 1024,
            of: "processes"),
        .reactor("iterative", "one connection after the other", ["--architecture", "iterative"]),
    ]

    private static let oneLoop = ["--architecture", "reactor", "--loops", "1"]

    package static let reactor: Subject = {
        var subject = Subject.reactor("reactor", "one event loop", oneLoop)
        subject.relay = reactorRelay
        return subject
    }()

    /// What blocks or burns is done beside the loop, by as many threads as thread-pool has.
    package static let reactorOffload = Subject.reactor(
        "reactor-offload", "one event loop, and a pool of threads for what blocks or burns", oneLoop, workers: "--offload",
        only: [.block, .burn, .mix])

    /// libev asks the kernel by another way than epoll. The last two are experimental in libev, and some kernels refuse them.
    package static let backends: [Subject] = ["poll", "select", "linuxaio", "io_uring"].map { backend in
        let name = "reactor-" + backend.filter { $0 != "_" }
        var subject = Subject.reactor(name, "one event loop on \(backend)", oneLoop + ["--backend", backend])
        subject.backend = backend
        return subject
    }

    /// What is different between this and `reactor` is noise.
    package static let reactorAgain = Subject.reactor("reactor-again", "reactor under another name: what noise there is", oneLoop)

    package static let reactorOneByOne = Subject.reactor(
        "reactor-one-by-one", "one event loop, one datagram a system call", oneLoop + ["--datagram-batch", "1"],
        only: [.datagramEcho])

    /// - Parameters:
    ///   - workers: the option that says how many there are.
    ///   - most: how many it may have, and connections with them, where each of these needs one.
    ///   - workerName: what it has then.
    ///   - only: the services that it is there for; nil for all.
    private static func reactor(
        _ name: String, _ summary: String, _ options: [String], workers: String? = nil, most: Int = .max,
        of workerName: String = "processes", only: Set<Service>? = nil
    ) -> Subject {
        Subject(
            name: name, summary: summary,
            command: { service, count, executables in
                // Whoever looks up, or reads heads, has no architecture.
                if name == "reactor", let command = command(service, executables) { return command }
                guard only?.contains(service) != false, let sample = sample(service) else { return nil }
                let material = executables.material
                let address = (service == .datagramEcho ? "udp:" : "") + "127.0.0.1:0"
                return [executables.reactor, "serve", sample, "--listen", address] + options
                    + (workers.map { [$0, "\(min(count, most == .max ? 1024 : most))"] } ?? [])
                    + (service.usesTLS ? ["--tls-cert", material.certificate, "--tls-key", material.key] : [])
                    + (service == .httpsFile || service.file != nil ? ["--root", material.root] : [])
            },
            isReactor: true, maximumConnections: most, workerName: workerName)
    }

    private static func command(_ service: Service, _ executables: Executables) -> [String]? {
        switch service {
        case .lookups: [executables.lookups]
        case .heads: [executables.parser]
        default: nil
        }
    }

    /// What `reactor serve` is asked for.
    private static func sample(_ service: Service) -> String? {
        switch service {
        case .echo, .datagramEcho: "echo"
        case .characters: "chargen"
        case .sink: "sink"
        case .rpc: "rpc"
        case .mail, .names, .lookups, .heads: nil
        default: "http"
        }
    }
}
