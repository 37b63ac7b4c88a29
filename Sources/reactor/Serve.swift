import ArgumentParser
import ReactorHTTP
import ReactorSampleSite
import ReactorWeb
import ServerArchitectures

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start a sample server.",
        subcommands: [
            ServeHTTP.self, ServeSMTP.self, ServeRPC.self, ServeEcho.self, ServeChargen.self, ServeTime.self,
            ServeDemo.self,
        ])
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
              reactor serve http --listen 127.0.0.1:8443 --tls-self-signed
              curl --insecure https://localhost:8443/plaintext
            """)

    @OptionGroup var server: ServerArguments
    @OptionGroup var tls: TLSArguments

    @Option(help: ArgumentHelp("Serve the files under this directory.", valueName: "dir"))
    var root: String?

    func run() throws {
        let root = try root.map { try DocumentRoot($0) }
        let targets = try server.streams(for: "serve http", under: tls.context(protocols: ["http/1.1"]))
        try Service.run(targets.map { site($0, root) }, server.options)
    }
}

func site(_ target: ListenTarget, _ root: DocumentRoot?) -> Service {
    Service("http", secure: "https", target) { HTTPServerHandler(application: SampleSite(root: root)) }
}
