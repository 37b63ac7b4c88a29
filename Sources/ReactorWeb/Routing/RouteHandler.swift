import HTTPTypes
import ReactorHTTP
import ReactorWire

/// What a route calls.
enum RouteHandler: Sendable {
    case lent(@Sendable (borrowing RequestView, inout ResponseWriter) throws -> Void)
    case owned(@Sendable (Request) async throws -> Response)
    /// An application of its own for each exchange.
    case application(@Sendable () -> ApplicationBox)
}

/// One route with all that was decided when its router was built. A class, so that to hold one for a request is to count one
/// reference.
final class Route: Sendable {
    let pattern: PathPattern
    let delivery: BodyDelivery
    let chain: MiddlewareChain?
    let handler: RouteHandler

    init(pattern: PathPattern, delivery: BodyDelivery, chain: MiddlewareChain?, handler: RouteHandler) {
        self.pattern = pattern
        self.delivery = delivery
        self.chain = chain
        self.handler = handler
    }
}

/// An application of a type that the router does not know.
class ApplicationBox {
    init() {}
    func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {}
    func received(_ body: RawSpan, with response: inout ResponseWriter) {}
    func bodyEnded(trailers: HTTPFields, with response: inout ResponseWriter) {}
    func answered(_ response: inout ResponseWriter) {}
    func drained(_ response: inout ResponseWriter) {}
    func exchangeEnded(_ summary: borrowing ExchangeSummary) {}
}

final class TypedApplicationBox<Application: HTTPApplication & ~Copyable>: ApplicationBox {
    var application: Application

    init(_ application: consuming Application) {
        self.application = application
        super.init()
    }

    override func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        application.respond(to: request, with: &response)
    }
    override func received(_ body: RawSpan, with response: inout ResponseWriter) { application.received(body, with: &response) }
    override func bodyEnded(trailers: HTTPFields, with response: inout ResponseWriter) {
        application.bodyEnded(trailers: trailers, with: &response)
    }
    override func answered(_ response: inout ResponseWriter) { application.answered(&response) }
    override func drained(_ response: inout ResponseWriter) { application.drained(&response) }
    override func exchangeEnded(_ summary: borrowing ExchangeSummary) { application.exchangeEnded(summary) }
}
