import ReactorHTTP
import ReactorWire

/// All that a router was told, as requests find it: immutable, and shared by all connections.
final class Site: Sendable {
    /// One virtual host.
    final class Host: Sendable {
        /// Lower case; `.example.com` for every name under it; empty for the host of all other names.
        let name: [UInt8]
        let routes: [Route]
        let table: RouteTable
        /// Sees what no route answers.
        let chain: MiddlewareChain?

        fileprivate init(_ name: String, _ router: Router, _ outer: [any HTTPMiddleware]) {
            var found: [(HTTPMethods, Route)] = []
            Self.collect(router, "", outer, &found)
            self.name = Array(name.utf8)
            routes = found.map(\.1)
            table = RouteTable(found.map { ($0.0, $0.1.pattern) })
            chain = Self.chain(outer + router.middleware)
        }

        private static func collect(
            _ router: Router, _ prefix: String, _ outer: [any HTTPMiddleware], _ found: inout [(HTTPMethods, Route)]
        ) {
            let middleware = outer + router.middleware
            let chain = chain(middleware)
            for entry in router.entries {
                let pattern = PathPattern(prefix + entry.path)
                found.append((entry.methods, Route(pattern: pattern, delivery: entry.delivery, chain: chain, handler: entry.handler)))
            }
            for group in router.groups {
                precondition(group.router.hosts.isEmpty, "a host is not within a group")
                collect(group.router, prefix + group.prefix, middleware, &found)
            }
        }

        private static func chain(_ middleware: [any HTTPMiddleware]) -> MiddlewareChain? {
            middleware.isEmpty ? nil : MiddlewareChain(middleware)
        }

        fileprivate func isFor(_ host: RawSpan) -> Bool {
            let isWildcard = name.first == UInt8(ascii: ".")
            guard isWildcard ? host.byteCount > name.count : host.byteCount == name.count else { return false }
            let first = host.byteCount - name.count
            for index in 0..<name.count {
                var byte = host[first + index]
                if byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") { byte |= 0x20 }
                if byte != name[index] { return false }
            }
            return true
        }
    }

    let other: Host
    /// Exact names before wildcards, longer wildcards before shorter ones.
    let named: [Host]
    let errors: ErrorHandler

    init(_ router: Router, _ errors: @escaping ErrorHandler) {
        self.errors = errors
        other = Host("", router, [])
        let names = router.hosts.map(\.name)
        precondition(Set(names).count == names.count, "a host is added once: \(names)")
        let hosts = router.hosts.map { Host($0.name.hasPrefix("*.") ? String($0.name.dropFirst()) : $0.name, $0.router, router.middleware) }
        named = hosts.sorted { ($0.name.first == 46 ? 1 : 0, $1.name.count) < ($1.name.first == 46 ? 1 : 0, $0.name.count) }
    }

    /// Whose routes serve this authority, which may have a port.
    func host(_ authority: RawSpan?) -> Host {
        guard let authority, !named.isEmpty else { return other }
        var end = authority.byteCount
        // In `[::1]` colons are no port's.
        if let colon = authority.firstIndex(of: UInt8(ascii: ":")), end > 0, authority[0] != UInt8(ascii: "[") { end = colon }
        // The same name, written to its end (RFC 3986 section 3.2.2).
        if end > 1, authority[end - 1] == UInt8(ascii: ".") { end -= 1 }
        let name = authority.slice(0..<end)
        for index in 0..<named.count where named[index].isFor(name) { return named[index] }
        return other
    }
}
