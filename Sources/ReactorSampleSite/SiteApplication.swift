import ConnectionHandling
public import HTTPTypes
public import ReactorWeb
import ReactorWire
import Synchronization

/// The site on one connection: its routes, and in front of them what counts connections and exchanges.
///
/// The time of an exchange runs from the turn of the loop in which its request was read, which takes in what it waited
/// behind others, to when its answer is written. One that was cut off, such as a stream that its reader leaves, has none.
public struct SiteApplication: HTTPApplication, ~Copyable {
    private var routes: RoutedApplication
    private let counters: SiteStatistics.Shard
    private var began = MonotonicTime.distantFuture
    /// Of the next request for `/mix`; nil before the first.
    private var mixTurn: MixTurn?

    public init(_ routes: RoutedApplication, in statistics: SiteStatistics) {
        self.routes = routes
        counters = statistics.shard()
        counters.opened.wrappingAdd(1, ordering: .releasing)
    }

    deinit { counters.closed.wrappingAdd(1, ordering: .releasing) }

    public mutating func delivery(of request: borrowing RequestView) -> BodyDelivery { routes.delivery(of: request) }

    public mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        began = response.now
        if request.path.equals("/mix") { takeMixTurn(&response) }
        routes.respond(to: request, with: &response)
    }

    private mutating func takeMixTurn(_ response: inout ResponseWriter) {
        var turn = mixTurn ?? MixTurn(port: response.peer.port ?? 0)
        response.context[MixTurn.self] = turn
        turn.advance()
        mixTurn = turn
    }

    public mutating func exchangeEnded(_ summary: borrowing ExchangeSummary) {
        routes.exchangeEnded(summary)
        switch summary.end {
        case .answered, .refused:
            counters.exchangeEnded(nanoseconds: began.nanoseconds(until: SiteStatistics.now()), bytes: summary.bytesWritten)
        case .cutOff, .connectionLost:
            counters.bytes.wrappingAdd(UInt64(clamping: summary.bytesWritten), ordering: .relaxed)
        }
        began = .distantFuture
    }

    public mutating func received(_ body: RawSpan, with response: inout ResponseWriter) { routes.received(body, with: &response) }

    public mutating func bodyEnded(trailers: HTTPFields, with response: inout ResponseWriter) {
        routes.bodyEnded(trailers: trailers, with: &response)
    }

    public mutating func answered(_ response: inout ResponseWriter) { routes.answered(&response) }

    public mutating func drained(_ response: inout ResponseWriter) { routes.drained(&response) }

    public mutating func refused(_ status: HTTPStatus, with response: inout ResponseWriter) {
        began = response.now
        routes.refused(status, with: &response)
    }
}
