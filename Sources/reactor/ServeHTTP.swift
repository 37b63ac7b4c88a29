import ArgumentParser
import ReactorSampleSite
import ReactorWeb
import ServerArchitectures

struct ServeHTTP: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "http",
        abstract: "An HTTP/1.1 site: a home page that shows what is running, sample endpoints, and files.",
        discussion: """
            Try it, and open http://127.0.0.1:8080/ in a browser:
              reactor serve http --listen 127.0.0.1:8080 --root .
              curl http://127.0.0.1:8080/plaintext
              curl --data hello http://127.0.0.1:8080/echo
              curl --form file=@README.md http://127.0.0.1:8080/upload
              curl --no-buffer 'http://127.0.0.1:8080/sse?count=3'
              curl http://127.0.0.1:8080/inspect
              reactor serve http --listen 127.0.0.1:8443 --tls-self-signed
              curl --insecure https://localhost:8443/plaintext
            """)

    @OptionGroup var server: ServerArguments
    @OptionGroup var tls: TLSArguments

    @Option(help: ArgumentHelp("Serve the files under this directory.", valueName: "dir"))
    var root: String?

    func run() throws {
        let context = try tls.context(protocols: ["http/1.1"])
        let targets = try server.streams(for: "serve http", under: context)
        let site = try SiteService(server.options, isSecure: context != nil, root: root)
        try Service.run(targets.map(site.service), site.options, companions: site.companions) { addresses in
            site.site.isListening(at: addresses.map { "\(context == nil ? "http" : "https")://\($0)" })
        }
    }
}
