/// A server that is measured: how it is started, and what is expected of it.
package struct Subject: Sendable {
    /// What one types after `--subjects`.
    package let name: String
    package let summary: String
    /// The program and its arguments for so many connections. The program listens on 127.0.0.1 and announces itself by
    /// a line `listening on http://127.0.0.1:PORT`, unless ``configuration`` is set.
    let command: @Sendable (_ workers: Int, Executables) -> [String]
    /// For a program that cannot choose a free port itself: its configuration file for a port and a directory of its
    /// own. The path of the file is added to the command.
    var configuration: (@Sendable (_ port: UInt16, _ directory: String) -> String)?
    /// The response has the floor's header fields and no others, so that the same work is compared.
    var hasExactFields = true
    /// It is our own command line, under one architecture or another.
    package var isReactor = false
    /// More connections than this are not tried: each one is a process.
    var maximumConnections = Int.max

    package func withinReach(of connections: Int) throws(Failure) {
        guard connections <= maximumConnections else {
            throw Failure(
                "\(name) needs a process for each connection: at most \(maximumConnections), not \(connections)")
        }
    }
}

/// Where the programs are that aren't found by name.
package struct Executables: Sendable {
    package let reactor: String
    package let floor: String
    package init(reactor: String, floor: String) {
        self.reactor = reactor
        self.floor = floor
    }
}

extension Subject {
    package static let floor = Subject(
        name: "floor", summary: "hand-written C on libev: the least it can cost",
        command: { _, executables in [executables.floor] })

    /// The same handler under each architecture, by name.
    package static let architectures: [Subject] = [
        .reactor("reactor", "one event loop", ["--architecture", "reactor", "--loops", "1"]),
        .reactor("reactor-2-loops", "two event loops, a thread each", ["--architecture", "reactor", "--loops", "2"]),
        .reactor("thread", "a thread for each connection", ["--architecture", "thread"]),
        .reactor("thread-pool", "a fixed number of threads", ["--architecture", "thread-pool"], workers: true),
        .reactor("fork", "a process for each connection", ["--architecture", "fork"], processes: true),
        .reactor(
            "prefork", "a fixed number of processes", ["--architecture", "prefork"], workers: true, processes: true),
        .reactor("iterative", "one connection after the other", ["--architecture", "iterative"]),
    ]

    package static let all: [Subject] = architectures + [.floor, .nginx]

    private static func reactor(
        _ name: String, _ summary: String, _ options: [String], workers: Bool = false, processes: Bool = false
    ) -> Subject {
        Subject(
            name: name, summary: summary,
            command: { count, executables in
                [executables.reactor, "serve", "http", "--listen", "127.0.0.1:0"] + options
                    + (workers ? ["--workers", "\(count)"] : [])
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
