import ConnectionHandling
public import ReactorWeb
import ReactorWire

extension SampleSite {
    /// What the site's operator chooses.
    public struct Options: Sendable {
        /// Files to serve where no endpoint is.
        public var files: StaticFiles?
        /// Sees every exchange first, such as an access log.
        public var middleware: [any HTTPMiddleware] = []
        /// What blocks or burns is done by the loop's pool of threads. Elsewhere than on a loop it makes no difference.
        public var offloads = false

        public init() {}
    }

    /// The site's routes, to be served by a `RoutedApplication`.
    ///
    /// What is measured, at the top, has the least in front of it: neither ids nor codings.
    public func router(_ options: Options = Options()) -> Router {
        var router = Router()
        for middleware in options.middleware { router.use(middleware) }
        router.use(ServerField())
        router.get("/plaintext") { _, response in response.send(.ok, contentType: "text/plain", "Hello, World!") }
        router.get("/plaintext-async") { _ async in Response(contentType: "text/plain", .text("Hello, World!")) }
        router.get("/json") { _, response in try response.send(json: Message(message: "Hello, World!")) }
        router.post("/echo") { request, response in Self.echo(request, &response) }
        let offloads = options.offloads
        router.get("/block") { Work(.block, isOffloaded: offloads) }
        router.get("/burn") { Work(.burn, isOffloaded: offloads) }
        router.get("/mix") { Work(.mix, isOffloaded: offloads) }
        let lines = Lines()
        router.get("/bytes") { request, response in lines.send(request, &response) }
        router.get("/stream") { Stream() }
        router.get("/sse") { Ticks() }
        router.group(RequestID()) { router in
            addReflecting(to: &router)
            addQueue(to: &router)
        }
        router.group(RequestID(), Compression()) { router in
            addPages(to: &router)
            addEndpoints(to: &router)
            if let files = options.files { router.files("/", files) }
        }
        return router
    }

    private struct Message: Encodable {
        let message: String
    }

    private func addPages(to router: inout Router) {
        router.get("/") { request, response in self.home(request, &response) }
        router.get("/site.css") { request, response in self.style.respond(to: request, with: &response) }
        router.get("/site.js") { request, response in self.script.respond(to: request, with: &response) }
        router.get("/site.svg") { request, response in self.icon.respond(to: request, with: &response) }
        router.get("/samples") { _, response in try self.samples(&response) }
        if streamsSamples { router.get("/live") { EventStream(self.live) } }
        router.get("/login") { request, response in self.login.show(request, &response) }
        router.post("/login") { request, response in self.login.login(request, &response) }
        router.post("/logout") { request, response in self.login.logout(request, &response) }
    }

    /// What answers with the request's own cookies, beside what a target chooses: compressed, its length would tell of them.
    private func addReflecting(to router: inout Router) {
        router.any("/inspect", .streamed(limit: Inspect.limit)) { try await Inspect.answer($0) }
        router.get("/cookies") { request, response in try CookiePages.show(request, &response) }
        router.post("/cookies") { request, response in CookiePages.set(request, &response) }
    }

    /// Not compressed either: whoever sends mail chooses some of what stands beside the addresses of others.
    private func addQueue(to router: inout Router) {
        guard let queue else { return }
        let page = queuePage
        router.get("/queue") { QueueAnswer(queue, as: page) }
        router.get("/queue/parts") { QueueAnswer(queue, as: nil) }
        router.get("/queue.js") { request, response in self.queueScript.respond(to: request, with: &response) }
        if streamsSamples { router.get("/queue/live") { EventStream(queue.live) } }
    }

    private func addEndpoints(to router: inout Router) {
        router.post("/upload", .streamed(limit: Upload.limit)) { try await Upload.answer($0) }
        router.get("/slow") { try await Slow.answer($0) }
        router.get("/status/{code}") { request, response in StatusPage.send(request.parameter("code") ?? "", &response) }
        // Where a form without a script goes.
        router.get("/status") { request, response in StatusPage.send(request.queryValue("code") ?? "", &response) }
    }

    private static func echo(_ request: borrowing RequestView, _ response: inout ResponseWriter) {
        response.begin(.ok)
        if let contentType = request.field("content-type") { response.field("Content-Type", contentType) }
        response.end(request.body)
    }
}

/// Says what serves, as most servers do; without a version, which is nobody's business.
private struct ServerField: HTTPMiddleware {
    func sending(_ status: HTTPStatus, with response: inout ResponseWriter) { response.field("Server", "reactor" as StaticString) }
}
