import ArgumentParser
import ConnectionHandling
import Foundation
import Glibc
import Reactor
import ReactorSampleSite
import ReactorWeb
import ServerArchitectures

/// The sample site as a service, with what its home page tells of the server around it.
struct SiteService: Sendable {
    private let site: SampleSite
    private let application: RoutedApplication
    private let scheme: String
    /// The server's, with timers on its loops.
    let options: ServerOptions
    let companions: [Companion]

    /// - Parameter offloads: what blocks or burns leaves the loop to the others.
    init(
        _ options: ServerOptions, isSecure: Bool = false, files: SiteFiles? = nil, log: SiteLog? = nil, queue: String? = nil,
        offloads: Bool = false
    ) throws {
        var description = Self.describe(options, isSecure: isSecure, root: files?.root)
        if offloads { description.concurrency += ", and \(options.offloadThreads) threads beside each for what blocks" }
        description.queue = queue.map(QueueReader.reading)
        let site = try SampleSite(description)
        self.site = site
        var routes = SampleSite.Options()
        routes.files = files?.files
        routes.offloads = offloads
        routes.middleware = log?.middleware ?? []
        application = RoutedApplication(site.router(routes))
        scheme = isSecure ? "https" : "http"
        var options = options
        options.prepareLoop = { loop in Self.measure(loop, for: site) }
        self.options = options
        // In a process of its own it would see nobody's counts.
        var companions = [Companion { stop in
            Self.eachSecond(until: stop) { site.tick() }
            site.end()
        }]
        // Beside the samples: reading a queue may take a while.
        if queue != nil {
            companions.append(Companion { stop in Self.eachSecond(until: stop) { site.tickQueue(unixSeconds: Int64(time(nil))) } })
        }
        self.companions = options.architecture.forks ? [] : companions
    }

    func service(_ target: ListenTarget) -> Service {
        var limits = HTTPLimits.default
        // A connection that is kept for a next request keeps all others waiting: browsers open several.
        if options.architecture == .iterative { limits.keepAliveTime = .seconds(1) }
        return Service("http", secure: "https", target) { [application, statistics = site.statistics, limits] in
            HTTPServerHandler(application: SiteApplication(application, in: statistics), limits: limits)
        }
    }

    /// Says on the home page where it is.
    func isListening(at addresses: [SocketAddress]) { site.isListening(at: addresses.map { "\(scheme)://\($0)" }) }

    // MARK: Samples

    /// How often a loop's lag is measured: ten times for each sample, and nothing beside what requests cost.
    private static let interval = Duration.milliseconds(100)

    /// Measures how late the loop's timer is, which is how long the others had to wait.
    private static func measure(_ loop: EventLoop, for site: SampleSite) {
        let due = loop.clock.now.advanced(by: interval)
        loop.after(interval) { [unowned loop] in
            site.statistics.loopWasLate(nanoseconds: due.nanoseconds(until: loop.clock.now))
            measure(loop, for: site)
        }
    }

    private static func eachSecond(until stop: CInt, _ work: () -> Void) {
        var entry = pollfd(fd: stop, events: Int16(POLLIN), revents: 0)
        while poll(&entry, 1, 1_000) <= 0 { work() }
    }

    // MARK: What is running

    private static func describe(_ options: ServerOptions, isSecure: Bool, root: String?) -> SiteDescription {
        var description = SiteDescription()
        let architecture = options.architecture
        description.version = ReactorCommand.configuration.version
        description.architecture = architecture.rawValue
        description.concurrency = concurrency(options)
        description.scope =
            architecture.forks
            ? "Of this process alone: under \(architecture.rawValue) each process counts its own." : "Of all connections together."
        description.lag = architecture == .reactor ? .measured : .absent("\(architecture.rawValue) has no loop")
        description.tls = isSecure ? "on every connection" : "none; --tls-self-signed tries it"
        description.isSecure = isSecure
        description.files = root ?? "none; --root serves some"
        description.sessions =
            architecture.forks ? "Each process keeps its own sessions: another one will not know you." : "Sessions are kept in memory."
        description.process = { "\(getpid()), \(machine)" }
        description.since = Int64(time(nil))
        description.streamsSamples = architecture == .reactor || architecture == .thread
        return description
    }

    private static func concurrency(_ options: ServerOptions) -> String {
        switch options.architecture {
        case .reactor:
            (options.loops == 1 ? "one event loop" : "\(options.loops) event loops, a thread each")
                + (options.backend == .epoll ? "" : ", on \(options.backend.rawValue)")
        case .thread: "a thread for each connection"
        case .threadPool: "\(options.workers) threads"
        case .fork: "a process for each connection"
        case .prefork: "\(options.workers) processes"
        case .iterative: "one connection after another"
        }
    }

    private static let machine: String = {
        var name = utsname()
        uname(&name)
        func text(_ field: some Any) -> String { withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) } }
        return "\(text(name.sysname)) on \(text(name.machine)), \(ProcessInfo.processInfo.activeProcessorCount) processors"
    }()
}
