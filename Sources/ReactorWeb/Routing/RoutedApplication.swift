public import HTTPTypes
import Logging
public import ReactorHTTP
import ReactorWire

/// Hears of errors that a client is told nothing about: whatever a handler throws but an ``HTTPError``.
public typealias ErrorHandler = @Sendable (_ error: any Error, _ request: String) -> Void

/// Answers requests as a ``Router`` says. A copy serves each connection; what the router was told is shared by all.
///
/// ```swift
/// let site = RoutedApplication(router)
/// try loop.listen(on: "127.0.0.1:8080") { HTTPServerHandler(application: site) }
/// ```
public struct RoutedApplication: HTTPApplication, Sendable {
    let site: Site
    /// The task that answers.
    var exchange: AsyncExchange?
    /// The body of the request that comes next is streamed.
    var bodyFollows = false
    /// The task has written, and goes on when that has drained.
    var awaitsRoom = false

    /// - Parameter errors: called on the exchange's thread, before 500 is sent or the answer cut off. By default an error in
    ///   the log of label `reactor.web`.
    public init(_ router: Router, errors: ErrorHandler? = nil) {
        site = Site(router, errors ?? Self.log)
    }

    private static let log: ErrorHandler = { error, request in
        Logger(label: "reactor.web").error("a handler failed", metadata: ["request": "\(request)", "error": "\(error)"])
    }

    // MARK: Finding the route

    public mutating func delivery(of request: borrowing RequestView) -> BodyDelivery {
        let host = site.host(request.authority)
        guard case .route(let index) = host.table.match(request.path, request.method).found else { return .streamed() }
        let delivery = host.routes[index].delivery
        bodyFollows = delivery.isStreamed
        return delivery
    }

    public mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        let host = site.host(request.authority)
        let match = host.table.match(request.path, request.method)
        guard case .route(let index) = match.found else { return answer(match.found, request, host, with: &response) }
        let route = host.routes[index]
        if match.count == 0 { return answer(request, route, with: &response) }
        let (names, parameters) = (route.pattern.names, match.parameters)
        answer(request.routed(names: names.span, parameters.span.extracting(first: match.count)), route, with: &response)
    }

    private mutating func answer(_ request: borrowing RequestView, _ route: Route, with response: inout ResponseWriter) {
        if let chain = route.chain, !enter(chain, request, with: &response) { return }
        switch route.handler {
        case .lent(let handler):
            do { try handler(request, &response) } catch { fail(error, request.path.text, with: &response) }
        case .owned(let handler): start(handler, request, with: &response)
        case .application(let make):
            let application = make()
            response.context.application = application
            application.respond(to: request, with: &response)
        }
    }

    /// - Returns: whether the handler's turn has come.
    private mutating func enter(
        _ chain: MiddlewareChain, _ request: borrowing RequestView, with response: inout ResponseWriter
    ) -> Bool {
        response.chain = chain
        return chain.received(request, with: &response)
    }

    /// What no route answers.
    private mutating func answer(
        _ found: RouteMatch.Found, _ request: borrowing RequestView, _ host: Site.Host, with response: inout ResponseWriter
    ) {
        if let chain = chain(of: found, request, host), !enter(chain, request, with: &response) { return }
        switch found {
        case .malformed: response.sendStatus(.badRequest)
        case .otherMethods(let methods) where request.method == .options: sendAllowed(methods, with: &response)
        case .otherMethods(let methods): _ = response.refuses(request.method, allowed: methods)
        case .nothing where request.path.equals("*"): sendAllowed(host.table.methods, with: &response)
        case .nothing, .route: response.sendStatus(.notFound)
        }
    }

    /// The middleware of what no route answers. Where the path has routes for other methods it is theirs: a group's CORS answers
    /// for them what browsers ask by OPTIONS, and its authentication keeps what methods there are to itself.
    private func chain(of found: RouteMatch.Found, _ request: borrowing RequestView, _ host: Site.Host) -> MiddlewareChain? {
        guard case .otherMethods(let methods) = found,
            let other = HTTPMethod(rawValue: UInt8(truncatingIfNeeded: methods.rawValue.trailingZeroBitCount)),
            case .route(let index) = host.table.match(request.path, other).found
        else { return host.chain }
        return host.routes[index].chain
    }

    private func sendAllowed(_ methods: HTTPMethods, with response: inout ResponseWriter) {
        response.begin(.noContent)
        response.field("Allow", methods.names)
        response.end()
    }

    // MARK: Errors

    func fail(_ error: any Error, _ path: String, with response: inout ResponseWriter) {
        let known = error as? HTTPError ?? (error as? any PeerViolation).map { HTTPError($0.status) }
        if known == nil && !(error is CancellationError) { site.errors(error, path) }
        // Half an answer must not look whole.
        if response.hasBegun { return response.abort() }
        response.sendStatus(known?.status ?? .internalServerError, known?.fields ?? [:])
    }

    /// Which host it was for may not be known: the router's own middleware is told.
    public mutating func refused(_ status: HTTPStatus, with response: inout ResponseWriter) {
        if let chain = site.other.chain {
            response.chain = chain
            chain.refused(status, with: &response)
        }
        if !response.hasBegun { response.sendStatus(status) }
    }

    // MARK: What comes later

    public mutating func received(_ body: RawSpan, with response: inout ResponseWriter) {
        if let exchange { return resume(exchange, .body(body.array), with: &response) }
        application(of: &response)?.received(body, with: &response)
    }

    public mutating func bodyEnded(trailers: HTTPFields, with response: inout ResponseWriter) {
        if let exchange { return resume(exchange, .bodyEnded(trailers), with: &response) }
        application(of: &response)?.bodyEnded(trailers: trailers, with: &response)
    }

    public mutating func answered(_ response: inout ResponseWriter) {
        if let exchange { return goOn(exchange, with: &response) }
        application(of: &response)?.answered(&response)
    }

    public mutating func drained(_ response: inout ResponseWriter) {
        if let exchange {
            // A task that reads must not take this for the end of the body.
            guard awaitsRoom else { return }
            awaitsRoom = false
            return resume(exchange, .done, with: &response)
        }
        application(of: &response)?.drained(&response)
    }

    public mutating func exchangeEnded(_ summary: borrowing ExchangeSummary) {
        bodyFollows = false
        awaitsRoom = false
        if let exchange {
            self.exchange = nil
            exchange.end()
        } else if let context = summary.context, let application = context.application as? ApplicationBox {
            application.exchangeEnded(summary)
        }
        summary.chain?.ended(summary)
    }

    private func application(of response: inout ResponseWriter) -> ApplicationBox? {
        response.existingContext?.application as? ApplicationBox
    }
}
