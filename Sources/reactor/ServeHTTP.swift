import ArgumentParser
import ReactorContentCodings
import ReactorWeb
import ServerArchitectures

struct ServeHTTP: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "http",
        abstract: "An HTTP/1.1 site: a home page that shows what is running, sample endpoints, and files.",
        discussion: """
            Open the first in a browser, or try the endpoints from another terminal:
              reactor serve http --listen 127.0.0.1:8080 --root . --listing --access-log -
              curl http://127.0.0.1:8080/plaintext
              curl http://127.0.0.1:8080/inspect
              curl --data hello http://127.0.0.1:8080/echo
              curl --form file=@README.md http://127.0.0.1:8080/upload
              curl --no-buffer 'http://127.0.0.1:8080/sse?count=3'
              curl --output /dev/null 'http://127.0.0.1:8080/stream?bytes=1000000000'
              curl 'http://127.0.0.1:8080/bytes?n=1024'
            What a handler does to the others that waits, or works, or does either now and then; and without --offload:
              reactor serve http --listen 127.0.0.1:8080 --offload 8
              curl 'http://127.0.0.1:8080/block?ms=500'
              curl 'http://127.0.0.1:8080/burn?ms=500'
              curl http://127.0.0.1:8080/mix
            Under TLS:
              reactor serve http --listen 127.0.0.1:8443 --tls-self-signed
              curl --insecure https://localhost:8443/plaintext
            """)

    @OptionGroup var server: ServerArguments
    @OptionGroup var tls: TLSArguments

    @Option(
        help: ArgumentHelp(
            """
            Have /block, /burn and /mix run on so many threads beside each event loop, which serves others meanwhile \
            (architecture reactor). Without it they hold the loop up.
            """, valueName: "threads"))
    var offload: Int?

    @Option(help: ArgumentHelp("Serve the files under this directory, wherever there is no endpoint.", valueName: "dir"))
    var root: String?

    @Flag(help: "List directories that have no index.html.")
    var listing = false

    @Flag(help: "Where there is FILE.zst, FILE.br or FILE.gz beside a file, send that to clients that take it.")
    var precompressed = false

    @Option(
        help: ArgumentHelp(
            """
            Show the mail queue in this spool, of a relay that runs or not, at /queue: with the addresses of senders and \
            recipients, to everybody who may see the site. Meant for a site that listens on 127.0.0.1.
            """, valueName: "dir"))
    var queue: String?

    @Option(
        help: ArgumentHelp(
            "Append a line for each request to this file; - for standard output. Rotate it by copying and truncating.",
            valueName: "path"))
    var accessLog: String?

    @Option(help: "How the lines are written: common, combined (with Referer and User-Agent) or json.")
    var logFormat = LogFormat.combined

    enum LogFormat: String, CaseIterable, ExpressibleByArgument {
        case common, combined, json

        var format: AccessLog.Format {
            switch self {
            case .common: .common
            case .combined: .combined
            case .json: .json
            }
        }
    }

    func validate() throws {
        if let offload {
            guard server.architecture == .reactor else {
                throw ValidationError(
                    "--offload is for --architecture reactor, not \(server.architecture.rawValue), where nobody else waits")
            }
            guard (1...1_024).contains(offload) else { throw ValidationError("--offload must be from 1 to 1024") }
        }
        if root == nil && (listing || precompressed) { throw ValidationError("--listing and --precompressed are for the files of --root") }
        if accessLog == nil && logFormat != .combined { throw ValidationError("--log-format is for the lines of --access-log") }
    }

    func run() throws {
        let context = try tls.context(protocols: ["http/1.1"])
        let targets = try server.streams(for: "serve http", under: context)
        let log = try accessLog.map { try SiteLog($0, logFormat.format, flushesAtOnce: server.options.architecture.forks) }
        var options = server.options
        if let offload { options.offloadThreads = offload }
        let site = try SiteService(
            options, isSecure: context != nil, files: files(), log: log, queue: queue, offloads: offload != nil)
        defer { log?.sink.flush(within: .seconds(3)) }
        try Service.run(targets.map(site.service), site.options, companions: site.companions, whenReady: site.isListening)
    }

    private func files() throws -> SiteFiles? {
        guard let root else { return nil }
        var options = StaticFileOptions()
        options.listsDirectories = listing
        if precompressed { options.precompressed = [.zstd, .br, .gzip] }
        return try SiteFiles(root, options)
    }
}
