import ConnectionHandling
import Dispatch
import ReactorWire
import Synchronization

/// One source of events for any number of connections, on any loops and threads: ``publish(_:)`` reaches all of them.
///
/// An ``EventStream`` is a connection's end of it. Nothing polls: a stream awaits its next event, and is woken by it. Each
/// event is encoded once. What waits for a slow connection is bounded by ``EventHubOptions``.
///
/// A hub belongs to its process: under `fork` and `prefork` each process has its own.
public final class EventHub: Sendable {
    private struct State {
        var subscribers: [Int: EventSubscription] = [:]
        var nextNumber = 0
        var history: [(id: String?, bytes: SharedBytes)] = []
        var hasEnded = false
        /// A beat will come.
        var isBeating = false
    }

    private let options: EventHubOptions
    private let state = Mutex(State())

    public init(options: EventHubOptions = .default) { self.options = options }

    deinit { close() }

    /// How many streams are subscribed.
    public var subscriberCount: Int { state.withLock { $0.subscribers.count } }

    /// Sends an event to every stream. May be called by any thread; streams get events in the order published.
    public func publish(_ event: ServerSentEvent) {
        let bytes = event.shared
        state.withLock { state in
            if state.hasEnded { return }
            if options.history > 0 {
                // Cut in one go now and then, not moved by one place for each event.
                if state.history.count >= options.history * 2 { state.history.removeFirst(state.history.count - options.history + 1) }
                state.history.append((event.id, bytes))
            }
            for (number, subscriber) in state.subscribers where !subscriber.deliver(bytes) {
                state.subscribers[number] = nil
            }
        }
    }

    /// Ends every stream, once it has sent what waits for it, and refuses new ones: for the end of the server.
    public func close() {
        let subscribers = state.withLock { state in
            defer { state.subscribers = [:] }
            state.hasEnded = true
            return Array(state.subscribers.values)
        }
        for subscriber in subscribers { subscriber.end() }
    }

    // MARK: Streams

    /// - Parameter lastEventID: what the browser has received; what was published since waits in the subscription, if the
    ///   history still holds it.
    /// - Returns: nil if there are ``EventHubOptions/subscribers`` already, or the hub was closed.
    func subscribe(after lastEventID: String?) -> (number: Int, subscription: EventSubscription)? {
        state.withLock { state in
            if state.hasEnded || state.subscribers.count >= options.subscribers { return nil }
            let missed = Self.missed(in: state.history.suffix(options.history), after: lastEventID)
            let subscription = EventSubscription(missed: missed, options: options)
            let number = state.nextNumber
            state.nextNumber += 1
            state.subscribers[number] = subscription
            if !state.isBeating { scheduleBeat() }
            state.isBeating = true
            return (number, subscription)
        }
    }

    private static func missed(in history: ArraySlice<(id: String?, bytes: SharedBytes)>, after id: String?) -> [SharedBytes] {
        guard let id, let last = history.lastIndex(where: { $0.id == id }) else { return [] }
        return history[(last + 1)...].map(\.bytes)
    }

    func unsubscribe(_ number: Int) { state.withLock { $0.subscribers.removeValue(forKey: number) }?.end() }

    /// One timer for all streams, as long as there are any. Not a task's: those whose threads are all busy would let the streams
    /// fall silent.
    private func scheduleBeat() {
        let interval = DispatchTimeInterval.nanoseconds(Int(clamping: options.keepAlive.wholeNanoseconds))
        DispatchQueue.global().asyncAfter(deadline: .now() + interval) { [weak self] in self?.beat() }
    }

    private func beat() {
        let goesOn = state.withLock { state in
            state.isBeating = !state.subscribers.isEmpty
            return state.isBeating
        }
        guard goesOn else { return }
        noteSilence()
        scheduleBeat()
    }

    /// Has every stream that waits send a comment.
    func noteSilence() {
        for subscriber in state.withLock({ Array($0.subscribers.values) }) { subscriber.noteSilence() }
    }
}
