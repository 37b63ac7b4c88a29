public import ArgumentParser
import Foundation
import Glibc
public import ReactorLoad
import ReactorTLS

struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Put a load on a server, and measure how it answers.",
        discussion: """
            The URL is what a server's ready line says: http, https, rpc+http, rpc+https,
            smtp, smtps, echo or echo+tls, to host:port or, as in http://unix:/path, to a
            Unix-domain socket. Put it only on servers that are yours.

            Without --rate the loop is closed: each connection sends its next request once
            it has the answer to the last. That finds out how much a server can do. With
            --rate it is open: requests are due at their moments whatever the server does,
            and latencies count from there, so that a server that stalls does not hide it.
            Requests that are due wait while all connections are busy; what was still not
            sent, or not answered, at the end is reported as unanswered.

            The generator is one thread. When it was itself the bottleneck, or late, it
            says so and does not vouch for the numbers: pin it and the server to different
            cores (taskset). Ctrl-C ends early and prints what there is.

            Exit status:
              0    measured, and vouched for
              1    nothing was answered, or no connection can be made
              3    measured, and not vouched for: the reasons are on the standard error
              64   the arguments are not what they must be
              130  Ctrl-C before anything was measured

            Try it:
              reactor serve http --listen 127.0.0.1:8080
              reactor load http://127.0.0.1:8080/plaintext
              reactor load http://127.0.0.1:8080/plaintext --rate 5000 --connections 32
              reactor load http://127.0.0.1:8080/plaintext --rate 1000..50000 --json
            """)

    @Argument(
        help: ArgumentHelp("Where to, such as http://127.0.0.1:8080/plaintext.", valueName: "url"),
        transform: parsed(LoadTarget.init(parsing:)))
    var url: LoadTarget

    @OptionGroup(title: "How much") var amount: LoadAmountArguments
    @OptionGroup(title: "What is sent") var content: LoadContentArguments

    @Flag(help: "Accept any certificate.")
    var insecure = false

    @Option(help: ArgumentHelp("Trust these authorities instead of the system's: PEM.", valueName: "file"))
    var tlsCa: String?

    @Flag(help: "Print the report as one JSON object.")
    var json = false

    func validate() throws {
        if insecure && tlsCa != nil { throw ValidationError("give --insecure or --tls-ca, not both") }
        if !url.scheme.isTLS && (insecure || tlsCa != nil) {
            throw ValidationError("--insecure and --tls-ca are for schemes with TLS, such as https")
        }
        try content.check(url.scheme)
    }

    func run() throws {
        var plan = LoadPlan(url)
        amount.apply(to: &plan)
        try content.apply(to: &plan)
        plan.tls.acceptsAnyCertificate = insecure
        if let tlsCa { plan.tls.trust = .authorities(.file(tlsCa)) }
        let load: Load
        do throws(LoadMistake) { load = try Load(plan) } catch { throw ValidationError("\(error)") }
        let progress = isatty(STDERR_FILENO) == 1 ? LoadProgress() : nil
        let report: LoadReport
        do throws(LoadFailure) {
            report = try load.run(endsOnInterrupt: true) { progress?.show($0) }
            progress?.clear()
        } catch {
            progress?.clear()
            let hint = "\(error)".contains("certificate") ? " (--insecure takes any, --tls-ca says whose to trust)" : ""
            throw fail(error.isInterruption ? 128 + SIGINT : EXIT_FAILURE, "\(error)\(hint)")
        }
        print(json ? report.json : report.text)
        try judge(report)
    }

    private func judge(_ report: LoadReport) throws {
        if report.requests == 0 {
            let examples = report.errors.examples.values.sorted().first.map { ": \($0)" } ?? ""
            throw fail(EXIT_FAILURE, "no request was answered\(examples)")
        }
        for doubt in report.doubts { printError("reactor: not vouched for: \(doubt)") }
        if !report.isVouched { throw ExitCode(3) }
    }
}

/// How much is asked of the server, and for how long.
struct LoadAmountArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp("Requests a second, whatever the server does; A..B changes evenly over the duration.", valueName: "n"),
        transform: parseRate)
    var rate: LoadPlan.Arrivals?

    @Option(help: "How requests are spaced with --rate: uniform, or at random as independent users come (poisson).")
    var arrivals = LoadPlan.Arrivals.Spacing.uniform

    @Option(help: ArgumentHelp("Of --arrivals poisson: the same seed gives the same moments.", valueName: "n"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Connections.", valueName: "n"))
    var connections = 64

    @Option(help: ArgumentHelp("Requests under way on each connection.", valueName: "n"))
    var pipeline = 1

    @Option(help: ArgumentHelp("How long to measure.", valueName: "seconds"))
    var duration = 10.0

    @Option(help: ArgumentHelp("Before that, with the results thrown away.", valueName: "seconds"))
    var warmUp = 1.0

    @Option(help: ArgumentHelp("Before that, let connections, or the --rate, rise from nothing.", valueName: "seconds"))
    var ramp = 0.0

    @Option(help: ArgumentHelp("How long connecting, and an answer, may take.", valueName: "seconds"))
    var timeout = 10.0

    @Flag(help: "A new connection for each request.")
    var reconnect = false

    @Option(help: ArgumentHelp("Connections beside, which are answered once and then do nothing.", valueName: "n"))
    var idle = 0

    func apply(to plan: inout LoadPlan) {
        plan.arrivals = rate
        plan.arrivals?.spacing = arrivals
        plan.arrivals?.seed = seed
        (plan.connections, plan.pipeline, plan.idle, plan.reconnects) = (connections, pipeline, idle, reconnect)
        (plan.duration, plan.warmUp, plan.ramp, plan.timeout) = (duration, warmUp, ramp, timeout)
    }

    func validate() throws {
        if rate == nil && arrivals != .uniform { throw ValidationError("--arrivals is for a load with --rate") }
    }
}

extension LoadPlan.Arrivals.Spacing: ExpressibleByArgument {}

/// Reads `5000` or `1000..50000`.
private func parseRate(_ text: String) throws -> LoadPlan.Arrivals {
    let ends = text.components(separatedBy: "..")
    let rates = ends.compactMap(Double.init).filter { $0 >= 0 && $0.isFinite }
    guard ends.count == rates.count, ends.count <= 2, let first = rates.first, let last = rates.last, max(first, last) > 0 else {
        throw ValidationError("'\(text)' is no rate: write requests a second, such as 5000, or 1000..50000")
    }
    return rates.count == 1 ? LoadPlan.Arrivals(rate: first) : LoadPlan.Arrivals(from: first, to: last)
}

/// What is sent.
struct LoadContentArguments: ParsableArguments {
    @Option(help: ArgumentHelp("The method of HTTP requests (default: GET, with a --body POST).", valueName: "name"))
    var method: String?

    @Option(help: ArgumentHelp("A field of HTTP requests: 'Name: value'. May be repeated.", valueName: "field"))
    var header: [String] = []

    @Option(help: ArgumentHelp("The body of HTTP requests: text, @file, or - for the standard input.", valueName: "text"))
    var body: String?

    @Option(help: ArgumentHelp("The path, where the URL has none: behind http://unix:/socket.", valueName: "path"))
    var path: String?

    @Option(help: ArgumentHelp("Bytes of each message: smtp (default: 4096), echo (default: 64).", valueName: "bytes"))
    var size: Int?

    @Option(help: ArgumentHelp("The method that rpc calls.", valueName: "name"))
    var call = "subtract"

    @Option(help: ArgumentHelp("Its parameters: JSON.", valueName: "json"))
    var params = "[42,23]"

    @Option(help: ArgumentHelp("The sender of smtp's messages, who gets what cannot be delivered.", valueName: "address"))
    var mailFrom = "load@example.invalid"

    @Option(help: ArgumentHelp("Their recipient.", valueName: "address"))
    var mailTo = "load@example.invalid"

    func check(_ scheme: LoadTarget.Scheme) throws {
        let isPlainHTTP = scheme.isHTTP && !scheme.isRPC
        if !isPlainHTTP && (method != nil || body != nil) { throw ValidationError("--method and --body are for http and https") }
        if !scheme.isHTTP && (!header.isEmpty || path != nil) { throw ValidationError("--header and --path are for http and rpc") }
        if scheme.isHTTP && size != nil { throw ValidationError("--size is for smtp and echo: give --body") }
        if header.contains(where: { !$0.contains(":") }) { throw ValidationError("--header is written 'Name: value'") }
        if scheme.isRPC, (try? JSONSerialization.jsonObject(with: Data(params.utf8))) == nil {
            throw ValidationError("--params '\(params)' is no JSON array or object")
        }
        if let path { do { try LoadTarget.check(path) } catch { throw ValidationError("\(error)") } }
    }

    func apply(to plan: inout LoadPlan) throws {
        if let body { plan.body = try read(body) }
        plan.method = method ?? (body == nil ? "GET" : "POST")
        plan.headers = header.map { field in
            let parts = field.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : "")
        }
        if let path { plan.target.path = path }
        plan.size = size
        (plan.call, plan.parameters) = (call, params)
        (plan.mailFrom, plan.mailTo) = (mailFrom, mailTo)
    }

    private func read(_ body: String) throws -> [UInt8] {
        if body == "-" { return [UInt8](FileHandle.standardInput.readDataToEndOfFile()) }
        guard body.hasPrefix("@") else { return Array(body.utf8) }
        let path = String(body.dropFirst())
        guard let content = FileManager.default.contents(atPath: path) else {
            throw ValidationError("--body: cannot read the file '\(path)'")
        }
        return [UInt8](content)
    }
}
