// The subjects of the package `Peers`: the Swift servers that people have today, and the parser that C servers had.

extension Subject {
    package static let nio = peer("nio", "SwiftNIO: one event loop, a handler behind its HTTP/1 pipeline") {
        $0 == .http || $0 == .json
    }

    /// Its answers have a charset in Content-Type, and its async handlers run on threads beside the loop's, on one CPU.
    package static let hummingbird = peer("hummingbird", "Hummingbird: its router, one event loop") { $0 == .http || $0 == .json }

    package static let httpParser = Subject(
        name: "http-parser", summary: "libhttp-parser, which only reads heads",
        command: { service, _, executables in service == .heads ? [executables.peer("http-parser")] : nil },
        needs: { [$0.peer("http-parser")] })

    private static func peer(
        _ name: String, _ summary: String, offers: @escaping @Sendable (Service) -> Bool
    ) -> Subject {
        Subject(
            name: name, summary: summary,
            command: { service, _, executables in offers(service) ? [executables.peer(name), "0"] : nil },
            needs: { [$0.peer(name)] })
    }
}

// Those that others have written, in C++ and Python.

extension Subject {
    /// libmicrohttpd's loop, in one thread.
    package static let jsonRPC = Subject(
        name: "jsonrpc-cpp", summary: "libjson-rpc-cpp: its HttpServer on libmicrohttpd, one thread (if built)",
        command: { service, _, executables in service == .rpc ? [executables.peersInCxx + "/jsonrpc-cpp-peer"] : nil },
        configuration: { _, place in ["\(place.port)", "1"] },
        hasExactFields: false, needs: { [$0.peersInCxx + "/jsonrpc-cpp-peer"] })

    package static let twisted = script(
        "twisted", "Twisted: twisted.web and its epoll reactor, one thread; what blocks in its pool (if installed)",
        "twisted_server.py", modules: ["twisted"]
    ) { service, workers in
        // As many threads for what blocks as other pools have, instead of its 10.
        switch service {
        case .http, .shortHTTP, .bytes, .block, .burn: ["http", "\(min(max(workers, 1), 1024))"]
        case .echo: ["echo", "1"]
        default: nil
        }
    }

    package static let pythonThreads = script(
        "python-threads", "Python's ThreadingHTTPServer: a thread for each connection", "threading_server.py"
    ) { service, _ in [.http, .shortHTTP, .bytes, .block, .burn, .mix].contains(service) ? [] : nil }

    /// A script of `Peers/Scripts`, which is given what it needs to know, and the port 0. Debian's Python runs it, which
    /// has Debian's modules.
    static func script(
        _ name: String, _ summary: String, _ file: String, modules: [String] = [],
        arguments: @escaping @Sendable (_ service: Service, _ workers: Int) -> [String]?
    ) -> Subject {
        Subject(
            name: name, summary: summary,
            command: { service, workers, executables in
                arguments(service, workers).map { ["/usr/bin/python3", executables.scripts + "/" + file] + $0 + ["0"] }
            },
            hasExactFields: false,
            needs: { executables in
                ["/usr/bin/python3", executables.scripts + "/" + file]
                    + modules.map { "/usr/lib/python3/dist-packages/\($0)/__init__.py" }
            })
    }
}
