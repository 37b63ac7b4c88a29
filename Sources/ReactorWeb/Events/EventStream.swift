public import ConnectionHandling
public import ReactorHTTP
import ReactorWire

/// Answers a request with the events of a hub, for as long as the connection lasts.
///
/// ```swift
/// router.get("/events", .whole()) { EventStream(hub) }
/// ```
public struct EventStream: HTTPApplication {
    private let hub: EventHub
    private var number: Int?
    private var subscription: EventSubscription?
    private var awaited: Awaited<EventDelivery>?

    public init(_ hub: EventHub) { self.hub = hub }

    public mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        leave()
        guard let (number, subscription) = hub.subscribe(after: request.lastEventID) else {
            return response.sendStatus(.serviceUnavailable)
        }
        self.number = number
        self.subscription = subscription
        response.startEvents()
        if request.method == .head {
            leave()
            return response.end()
        }
        // So that the browser knows at once that it is connected.
        response.sendComment()
        wait(&response)
    }

    public mutating func answered(_ response: inout ResponseWriter) {
        guard case .success(let delivery)? = awaited?.take() else { return response.abort() }
        awaited = nil
        switch delivery {
        case .events(let events):
            for event in events { response.write(event.bytes) }
        case .silence:
            response.sendComment()
        case .ended:
            leave()
            return response.end()
        }
        wait(&response)
    }

    public mutating func drained(_ response: inout ResponseWriter) { wait(&response) }

    public mutating func exchangeEnded(_ summary: borrowing ExchangeSummary) { leave() }

    /// While the connection is backed up, events gather in the subscription's queue, which is bounded.
    private mutating func wait(_ response: inout ResponseWriter) {
        guard let subscription, awaited == nil, !response.isBackedUp else { return }
        awaited = response.await { await subscription.next() }
    }

    private mutating func leave() {
        if let number { hub.unsubscribe(number) }
        number = nil
        subscription = nil
        awaited = nil
    }
}
