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
    /// For a program that cannot choose a free port itself: writes what it needs into a directory of its own, and returns the
    /// arguments that are added to the command. The directory is there until the program listens.
    var configuration: (@Sendable (_ service: Service, ServerPlace) throws -> [String])?
    /// The response has the floor's header fields and no others, so that the same work is compared.
    var hasExactFields = true
    /// It is our own command line, under one architecture or another.
    package var isReactor = false
    /// More connections than this are not tried: each one needs a thread or process.
    var maximumConnections = Int.max
    /// What each of them needs.
    var workerName = "processes"

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

    /// The files without which it is not there, and the programs that are found by name. Our own builds are looked for
    /// elsewhere.
    var needs: @Sendable (Executables) -> [String] = { _ in [] }

    /// The way of libev that it needs to ask the kernel, where that is one that may not be there.
    var backend: String?

    /// Its program is there, as far as can be told.
    package func isInstalled(_ executables: Executables) -> Bool {
        if relay != nil, !isReactor { return isMailInstalled }
        if let backend {
            // What `reactor` is built on, the floor is, too.
            let there = ChildProcess.output(of: [executables.floor, "--backends"])?.split(separator: "\n") ?? []
            guard there.contains(Substring(backend)) else { return false }
        }
        let directories = (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":")
        return needs(executables).allSatisfy { need in
            if need.contains("/") { return access(need, R_OK) == 0 }
            return directories.contains { access("\($0)/\(need)", X_OK) == 0 }
        }
    }

    /// Why so many connections are not tried; nil if they are.
    func outOfReach(of connections: Int) -> Failure? {
        guard connections > maximumConnections else { return nil }
        return .leftOut("more than \(Format.count(Double(maximumConnections))) \(workerName) are not tried")
    }

    package func withinReach(of connections: Int) throws(Failure) {
        guard connections <= maximumConnections else {
            throw Failure(
                "\(name) needs one of its \(workerName) for each connection: at most \(maximumConnections), not \(connections)")
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
    /// The package of the peers, with their scripts.
    private let peerPackage: String
    var scripts: String { peerPackage + "/Scripts" }
    var peerManifest: String { peerPackage + "/Package.swift" }
    /// What is built there without SwiftPM.
    var peersInCxx: String { peerPackage + "/.build/c++" }
    package var parser: String { besideReactor + "parser-load" }
    func peer(_ subject: String) -> String { peers + "/" + subject + "-peer" }
    private var besideReactor: String { String(reactor.lastIndex(of: "/").map { reactor[...$0] } ?? "") }

    package init(
        reactor: String, floor: String, load: String, peers: String = "", heads: String = "",
        peerPackage: String = "", material: Material = Material(directory: "")
    ) {
        self.reactor = reactor
        self.floor = floor
        self.load = load
        self.peers = peers
        self.heads = heads
        self.peerPackage = peerPackage
        self.material = material
    }
}

extension Subject {
    package static let floor = Subject(
        name: "floor", summary: "hand-written C on libev: the least it can cost",
        command: { service, _, executables in
            switch service {
            case .http, .shortHTTP, .bytes: [executables.floor, "http"]
            case .echo: [executables.floor, "echo"]
            case .datagramEcho: [executables.floor, "udp-echo"]
            case .sink: [executables.floor, "smtp"]
            case .rpc: [executables.floor, "rpc"]
            case .names: [executables.floor, "dns"]
            case .lookups: [executables.load, "lookups"]
            default: nil
            }
        })

    package static let floorOneByOne = Subject(
        name: "floor-one-by-one", summary: "the floor, one datagram a system call",
        command: { service, _, executables in
            service == .datagramEcho ? [executables.floor, "udp-echo", "0", "1"] : nil
        })

    package static let all: [Subject] =
        architectures + [reactorOffload] + backends + [reactorAgain, reactorOneByOne, floor, floorOneByOne]
        + [nginx, h2o] + apaches + [nio, hummingbird, twisted, pythonThreads, httpParser, jsonRPC, postfix, smtpSink, aiosmtpd]

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
