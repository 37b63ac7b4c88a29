public import ReactorHTTP

/// Which handler answers which path and method. Fill it, then serve it by a ``RoutedApplication``.
///
/// ```swift
/// var router = Router()
/// router.use(RequestID())
/// router.get("/plaintext") { request, response in
///     response.send(.ok, contentType: "text/plain", "Hello, World!")
/// }
/// router.get("/users/{id}") { request async throws -> User in try await users.find(request.parameter("id")) }
/// router.group("/admin", BasicAuthentication(…)) { admin in
///     admin.delete("/users/{id}") { … }
/// }
/// ```
///
/// **Handlers** are of three kinds. A closure of two parameters is lent the request and writes the answer: the fastest, and
/// it must not block. A closure of one is `async`: it gets a request of its own, and returns what is an answer or can be made
/// one. A closure of none makes an ``HTTPApplication`` for each exchange. All may throw ``HTTPError``.
///
/// **Paths** have literals, parameters (`{id}`: one segment that is not empty) and, at their end, the rest
/// (`{path...}`: any number of segments, none included). Each segment is percent-decoded once, so an encoded slash never
/// splits one; where that fails, or gives no UTF-8 or a NUL, the answer is 400. Nothing else is normalised: `/a` and `/a/` are
/// two paths, and `..` is a name like any other.
///
/// **Precedence**: of the routes that match path and method, the one with the more exact segment where they first differ:
/// a literal before a parameter, a parameter before the rest. The order of adding does not matter. Two routes for the same
/// are a mistake that traps when the ``RoutedApplication`` is made.
///
/// **By itself** the router answers HEAD by GET's handler, OPTIONS with `Allow`, 405 with `Allow` where a path has no route for
/// the method, 501 to a method it doesn't know, and 404.
public struct Router {
    struct Entry {
        let methods: HTTPMethods
        let path: String
        let delivery: BodyDelivery
        let handler: RouteHandler
    }

    private(set) var middleware: [any HTTPMiddleware] = []
    private(set) var entries: [Entry] = []
    private(set) var groups: [(prefix: String, router: Router)] = []
    private(set) var hosts: [(name: String, router: Router)] = []

    public init() {}

    /// Adds middleware, which sees requests in the order of adding: those of all this router's routes and groups, whenever they
    /// are added, and those that it answers itself.
    public mutating func use(_ middleware: any HTTPMiddleware...) { self.middleware += middleware }

    /// Adds routes whose paths begin with `prefix`, with middleware of their own behind this router's. It sees what the router
    /// answers for the other methods of these paths, too.
    public mutating func group(_ prefix: String, _ middleware: any HTTPMiddleware..., routes: (inout Router) throws -> Void) rethrows {
        precondition(prefix.first == "/" && prefix.last != "/", "a group's prefix begins with a slash, and does not end in one: \(prefix)")
        var router = Router()
        router.middleware = middleware
        try routes(&router)
        groups.append((prefix, router))
    }

    /// Adds routes that have middleware of their own in common, and no prefix.
    public mutating func group(_ middleware: any HTTPMiddleware..., routes: (inout Router) throws -> Void) rethrows {
        var router = Router()
        router.middleware = middleware
        try routes(&router)
        groups.append(("", router))
    }

    /// Adds a virtual host: requests for `name` find only its routes, those for any other host only the router's. This
    /// router's middleware sees them all.
    ///
    /// - Parameter name: without a port, and compared without case. `*.example.com` stands for every name under that domain
    ///   that has no entry of its own.
    /// - Precondition: this is not within a group.
    public mutating func host(_ name: String, _ middleware: any HTTPMiddleware..., routes: (inout Router) throws -> Void) rethrows {
        var router = Router()
        router.middleware = middleware
        try routes(&router)
        precondition(router.hosts.isEmpty, "a host is not within another")
        hosts.append((name.lowercased(), router))
    }

    mutating func add(_ methods: HTTPMethods, _ path: String, _ delivery: BodyDelivery, _ handler: RouteHandler) {
        entries.append(Entry(methods: methods, path: path, delivery: delivery, handler: handler))
    }
}
