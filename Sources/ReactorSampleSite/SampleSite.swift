import ConnectionHandling
public import ReactorWeb
import ReactorWire
import Synchronization

/// The site that `reactor serve http` serves: sample endpoints, files, and a home page that shows what is running.
///
/// One for a process; its connections share it.
public final class SampleSite: Sendable {
    public let statistics = SiteStatistics()

    let style = PageFile("text/css; charset=utf-8", HomeStyle.css + QueueStyle.css)
    let script = PageFile("text/javascript; charset=utf-8", HomeScript.js)
    let icon = PageFile("image/svg+xml", HomeMarkup.icon)
    let queueScript = PageFile("text/javascript; charset=utf-8", QueueScript.js)
    let login: Login
    let live: EventHub
    let streamsSamples: Bool
    /// Nil where no queue is shown.
    let queue: QueueWatch?
    private let description: Mutex<SiteDescription>

    /// - Throws: where the system gives no random bytes to sign sessions with.
    public init(_ description: SiteDescription = SiteDescription()) throws {
        login = try Login(isSecure: description.isSecure, style: style.version, note: description.sessions)
        var options = EventHubOptions.default
        // Only the newest second counts.
        options.overflow = .skipOldest
        options.history = 0
        live = EventHub(options: options)
        streamsSamples = description.streamsSamples
        queue = description.queue.map(QueueWatch.init)
        self.description = Mutex(description)
    }

    /// Says where the site listens, once that is known.
    public func isListening(at listeners: [String]) { description.withLock { $0.listeners = listeners } }

    /// To be called each second, from any thread: takes a sample, and shows it to whoever watches.
    public func tick() {
        guard statistics.sample(), live.subscriberCount > 0, let sample = statistics.samples.last,
            let data = try? encoded(sample)
        else { return }
        live.publish(ServerSentEvent(String(decoding: data, as: UTF8.self), event: "sample"))
    }

    /// To be called each second, by a thread that may block: shows the queue to whoever watches it.
    ///
    /// - Parameter unixSeconds: the time, in seconds since 1970.
    public func tickQueue(unixSeconds: Int64) { queue?.tick(unixSeconds: unixSeconds) }

    /// Ends the streams of events: the server stops.
    public func end() {
        live.close()
        queue?.live.close()
    }

    var queuePage: QueuePage {
        QueuePage(styleVersion: style.version, scriptVersion: queueScript.version, streams: streamsSamples)
    }

    // MARK: The home page

    func home(_ request: borrowing RequestView, _ response: inout ResponseWriter) {
        // Where nobody calls `tick`.
        statistics.sample()
        let description = description.withLock { $0 }
        let page = HomePage(description: description, styleVersion: style.version, scriptVersion: script.version)
        var authority = "this server"
        if let sent = request.authority { authority = sent.text }
        let markup = page.markup(
            statistics.samples, statistics.totals(), now: response.unixSeconds, authority: authority,
            origin: (description.isSecure ? "https://" : "http://") + authority, peer: "\(response.peer)")
        response.begin(.ok)
        response.field("Content-Type", "text/html; charset=utf-8")
        response.field("Cache-Control", "no-store")
        PagePolicy.write(to: &response)
        response.end(Array(markup.utf8).span.bytes)
    }

    /// `/samples`: the last two minutes as JSON.
    func samples(_ response: inout ResponseWriter) throws {
        statistics.sample()
        try response.sendJSON(statistics.samples)
    }
}
