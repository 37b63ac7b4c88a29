import ConnectionHandling
import FoundationEssentials
import ReactorWeb
import ReactorWire
import Synchronization

/// The queue as it was a moment ago, or why it cannot be shown: what a page is made of, and what goes to its script.
struct QueueUpdate: Sendable, Encodable, Equatable {
    /// Seconds since 1970.
    var time: Int64
    var problem: String?
    var parts: [String: String] = [:]
}

/// Reads the queue for all who look at it: once for all of them, and no more often than it can bear.
final class QueueWatch: Sendable {
    let live: EventHub
    private let read: @Sendable () throws -> QueueSnapshot
    private let state = Mutex(State())

    private struct State {
        var update: QueueUpdate?
        var isFreshUntil = MonotonicTime(nanoseconds: 0)
        /// Shown to those who watch.
        var isPublished = false
    }

    /// How long a reading is good for. Two seconds; more where reading takes longer than a tenth of it.
    private static let interval: UInt64 = 2_000_000_000

    init(_ read: @escaping @Sendable () throws -> QueueSnapshot) {
        self.read = read
        var options = EventHubOptions.default
        options.overflow = .skipOldest
        options.history = 0
        live = EventHub(options: options)
    }

    /// Blocks while it reads, and while another thread does.
    func update(unixSeconds: Int64, now: MonotonicTime = SiteStatistics.now()) -> QueueUpdate {
        state.withLock { state in
            if let update = state.update, now < state.isFreshUntil { return update }
            var update = QueueUpdate(time: unixSeconds)
            do { update.parts = QueuePage.parts(try read(), now: unixSeconds) } catch { update.problem = "\(error)" }
            let spent = now.nanoseconds(until: SiteStatistics.now())
            state.isFreshUntil = now.advanced(byNanoseconds: max(Self.interval, spent &* 10))
            state.update = update
            state.isPublished = false
            return update
        }
    }

    /// To be called each second: shows the queue to whoever watches.
    func tick(unixSeconds: Int64) {
        guard live.subscriberCount > 0, let event = news(unixSeconds: unixSeconds) else { return }
        live.publish(event)
    }

    /// What those who watch have not been shown; nil if it has not been read since.
    func news(unixSeconds: Int64, now: MonotonicTime = SiteStatistics.now()) -> ServerSentEvent? {
        let update = update(unixSeconds: unixSeconds, now: now)
        let isNew = state.withLock { state in
            defer { state.isPublished = true }
            return !state.isPublished
        }
        guard isNew, let data = try? encoded(update) else { return nil }
        return ServerSentEvent(String(decoding: data, as: UTF8.self), event: "queue")
    }
}

/// One answer that shows the queue: as a page, or for its script.
struct QueueAnswer: HTTPApplication {
    let watch: QueueWatch
    /// Nil: as JSON.
    let page: QueuePage?
    private var awaited: Awaited<QueueUpdate>?
    private var authority = "this server"

    init(_ watch: QueueWatch, as page: QueuePage?) {
        self.watch = watch
        self.page = page
    }

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        if let sent = request.authority { authority = sent.text }
        let now = response.unixSeconds
        awaited = response.perform { [watch] in watch.update(unixSeconds: now) }
    }

    mutating func answered(_ response: inout ResponseWriter) {
        guard case .success(let update)? = awaited?.take() else { return response.abort() }
        let body = body(update)
        response.begin(update.problem == nil ? .ok : .serviceUnavailable)
        response.field("Content-Type", page == nil ? "application/json" : "text/html; charset=utf-8")
        response.field("Cache-Control", "no-store")
        response.field("Cross-Origin-Resource-Policy", "same-origin" as StaticString)
        PagePolicy.write(to: &response)
        response.end(body.span.bytes)
    }

    private func body(_ update: QueueUpdate) -> [UInt8] {
        guard let page else { return (try? encoded(update)) ?? [] }
        return Array(page.markup(update, authority: authority).utf8)
    }
}
