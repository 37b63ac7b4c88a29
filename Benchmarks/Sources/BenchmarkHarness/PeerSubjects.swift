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
        isPeer: true)

    private static func peer(
        _ name: String, _ summary: String, offers: @escaping @Sendable (Service) -> Bool
    ) -> Subject {
        Subject(
            name: name, summary: summary,
            command: { service, _, executables in offers(service) ? [executables.peer(name), "0"] : nil },
            isPeer: true)
    }
}
