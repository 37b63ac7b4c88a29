/// What is running, as the home page says it: told by whoever starts the site.
public struct SiteDescription: Sendable {
    /// Of the software.
    public var version = ""
    /// Such as `reactor` or `prefork`.
    public var architecture = ""
    /// What there is of it: `2 event loops, a thread each`.
    public var concurrency = ""
    /// Which connections the numbers count.
    public var scope = ""
    public var lag = LagMeasurement.absent("nobody tells it")
    /// Where it listens, as URLs.
    public var listeners: [String] = []
    /// What protects connections.
    public var tls = ""
    /// All of them are under TLS.
    public var isSecure = false
    /// What a visitor should know of where sessions are kept.
    public var sessions = ""
    /// What files are served.
    public var files = ""
    /// The process that serves this page, and where it runs.
    public var process: @Sendable () -> String = { "" }
    /// Seconds since 1970 at the start.
    public var since: Int64 = 0
    /// How the charts stay live: by a stream of events that holds a connection; or, where connections are held by few workers,
    /// or by processes that know only themselves, by asking each second.
    public var streamsSamples = true

    /// Reads the mail queue that `/queue` shows, with the addresses in it, to whoever may see the site; nil: there is no such
    /// page. It may block, and is called by several threads, one at a time.
    public var queue: (@Sendable () throws -> QueueSnapshot)?

    public enum LagMeasurement: Sendable {
        case measured
        /// Why not.
        case absent(String)
    }

    public init() {}
}
