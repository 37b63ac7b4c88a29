import ReactorWire
import Synchronization

/// What a subscriber is handed.
enum EventDelivery: Sendable {
    /// Events as they are sent, oldest first.
    case events([SharedBytes])
    /// Nothing has come for a while.
    case silence
    case ended
}

/// One subscriber's queue: filled by the hub on any thread, emptied by the connection.
final class EventSubscription: Sendable {
    private struct State {
        var queue: [SharedBytes]
        var hasEnded = false
        var waiter: CheckedContinuation<EventDelivery, Never>?
    }

    private let state: Mutex<State>
    private let limit: Int
    private let overflow: EventHubOptions.Overflow

    init(missed: [SharedBytes], options: EventHubOptions) {
        state = Mutex(State(queue: missed))
        limit = max(options.queue, 1)
        overflow = options.overflow
    }

    /// The next events, at once if some wait. To be called once at a time.
    func next() async -> EventDelivery {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state -> EventDelivery? in
                if !state.queue.isEmpty {
                    defer { state.queue = [] }
                    return .events(state.queue)
                }
                if state.hasEnded || state.waiter != nil { return .ended }
                state.waiter = continuation
                return nil
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }

    /// - Returns: false if the subscriber was too slow, and its stream has ended.
    func deliver(_ event: SharedBytes) -> Bool {
        let (waiter, isKept) = state.withLock { state -> (CheckedContinuation<EventDelivery, Never>?, Bool) in
            if state.hasEnded { return (nil, false) }
            if let waiter = state.waiter.take() { return (waiter, true) }
            if state.queue.count >= limit {
                switch overflow {
                case .disconnect:
                    state.hasEnded = true
                    return (nil, false)
                case .skipOldest: state.queue.removeFirst()
                }
            }
            state.queue.append(event)
            return (nil, true)
        }
        waiter?.resume(returning: .events([event]))
        return isKept
    }

    func noteSilence() { state.withLock { $0.waiter.take() }?.resume(returning: .silence) }

    /// What waits is still handed out.
    func end() {
        let waiter = state.withLock { state in
            state.hasEnded = true
            return state.waiter.take()
        }
        waiter?.resume(returning: .ended)
    }
}
