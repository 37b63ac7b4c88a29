import ArgumentParser
import ConnectionHandling
import ReactorHTTP
import ReactorProxyProtocol
import ServerArchitectures

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start a sample server.",
        subcommands: [ServeHTTP.self, ServeSMTP.self, ServeRPC.self, ServeEcho.self, ServeDemo.self])
}

struct ServeHTTP: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "http",
        abstract: "An HTTP/1.1 site: /plaintext, /json, POST /echo, and files.",
        discussion: """
            Try it:
              reactor serve http --listen 127.0.0.1:8080 --root .
              curl http://127.0.0.1:8080/plaintext
              curl --data hello http://127.0.0.1:8080/echo
            """)

    @OptionGroup var server: ServerArguments

    @Option(help: ArgumentHelp("Serve the files under this directory.", valueName: "dir"))
    var root: String?

    func run() throws {
        let root = try root.map { try DocumentRoot($0) }
        try Service.run(server.listen.map { site($0, root, behind: server.proxies) }, server.options)
    }
}

func site(_ address: SocketAddress, _ root: DocumentRoot?, behind proxies: ProxyProtocol? = nil) -> Service {
    Service("http", address, behind: proxies) { HTTPServerHandler(application: SampleSite(root: root)) }
}

struct ServeEcho: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo",
        abstract: "Sends back what it receives (RFC 862).",
        discussion: """
            Try it:
              reactor serve echo --listen 127.0.0.1:7007
              nc 127.0.0.1 7007
            """)

    @OptionGroup var server: ServerArguments

    func run() throws { try Service.run(server.listen.map { echo($0, behind: server.proxies) }, server.options) }
}

func echo(_ address: SocketAddress, behind proxies: ProxyProtocol? = nil) -> Service {
    Service("echo", address, behind: proxies) { Echo() }
}

/// The Echo Protocol (RFC 862): the smallest handler there is.
struct Echo: ConnectionHandler {
    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        connection.write(bytes)
        return bytes.byteCount
    }
}
