import ArgumentParser
import ConnectionHandling
import Foundation
import ServerArchitectures

struct ServeDemo: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Every sample server in one process, and how to try each.",
        discussion: """
            The relay delivers to a mail sink that is part of the demo: it prints what arrives and keeps nothing. The
            spool is a new temporary directory, removed at the end, unless --spool names one.
            """)

    @Option(help: ArgumentHelp("Where the site listens.", valueName: "addr"), transform: parsed(SocketAddress.init(parsing:)))
    var http = SocketAddress.loopback(port: 8080)
    @Option(help: ArgumentHelp("Where the JSON-RPC endpoint listens.", valueName: "addr"), transform: parsed(SocketAddress.init(parsing:)))
    var rpc = SocketAddress.loopback(port: 8081)
    @Option(help: ArgumentHelp("Where the SMTP relay listens.", valueName: "addr"), transform: parsed(SocketAddress.init(parsing:)))
    var smtp = SocketAddress.loopback(port: 2525)
    @Option(
        help: ArgumentHelp("Where the mail sink listens, the relay's next hop.", valueName: "addr"),
        transform: parsed(SocketAddress.init(parsing:)))
    var sink = SocketAddress.loopback(port: 2526)
    @Option(help: ArgumentHelp("Where the echo server listens.", valueName: "addr"), transform: parsed(SocketAddress.init(parsing:)))
    var echo = SocketAddress.loopback(port: 7007)
    @Option(help: ArgumentHelp("Serve the files under this directory.", valueName: "dir"))
    var root: String?
    @Option(help: ArgumentHelp("Keep messages in this directory.", valueName: "dir"))
    var spool: String?

    func validate() throws {
        if let port = sink.port, port == 0 { throw ValidationError("--sink needs a port: the relay must know where it is") }
    }

    func run() throws {
        let directory = try spool ?? temporaryDirectory()
        defer { if spool == nil { try? FileManager.default.removeItem(atPath: directory) } }
        let site = try SiteService(ServerOptions(), files: root.map { try SiteFiles($0) }, queue: directory)
        let relay = try Relay(RelaySettings(spool: directory, nextHop: "\(sink)"), tls: nil)
        let services = [
            site.service(ListenTarget(http)), reactor.rpc(ListenTarget(rpc)), relay.service(ListenTarget(smtp)),
            mailSink(ListenTarget(sink), tells: true), reactor.echo(ListenTarget(echo)),
        ]
        try Service.run(services, site.options, companions: [relay.delivery(listening: [smtp])] + site.companions) { addresses in
            site.isListening(at: [addresses[0]])
            explain(addresses, spool: directory)
        }
    }

    private func temporaryDirectory() throws -> String {
        let url = FileManager.default.temporaryDirectory.appending(path: "reactor-demo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        return url.path
    }

    private func explain(_ addresses: [SocketAddress], spool: String) {
        let (http, rpc, smtp, echo) = (addresses[0], addresses[1], addresses[2], addresses[4])
        print(
            """

            Try each of them from another terminal:

              the site      open http://\(http)/ in a browser
                            curl http://\(http)/plaintext
                            curl --data hello http://\(http)/echo
              JSON-RPC      curl -H 'Content-Type: application/json' http://\(rpc)/rpc \\
                              --data '{"jsonrpc":"2.0","method":"add","params":[1,2],"id":1}'
              the relay     printf 'Subject: hello\\r\\n\\r\\nIt works.\\r\\n' | curl smtp://\(smtp) \\
                              --mail-from you@example.org --mail-rcpt me@example.org --upload-file -
                            open http://\(http)/queue to see it pass
                            \(CommandLine.arguments[0]) queue list --spool \(spool)
              echo          nc \(echo.host) \(echo.port ?? 0)

            Ctrl-C ends them.

            """)
        fflush(nil)
    }
}
