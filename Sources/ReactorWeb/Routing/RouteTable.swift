import ReactorHTTP

/// Which route serves which path and method: a tree of segments, laid out in arrays. Built once, then only read.
///
/// Among the routes whose path and method match, the one is taken whose first differing segment is more exact: a literal
/// before a parameter, a parameter before the rest. The order of adding does not matter.
struct RouteTable: Sendable {
    /// A place in the tree. -1 stands for none.
    struct Node: Sendable {
        /// Its literal segments, in ``edges``, sorted by length and bytes.
        var edges = 0..<0
        var parameter = -1
        /// The endpoint of the paths that end here, and of those that go on in whatever way.
        var endpoint = -1
        var rest = -1
    }

    struct Edge: Sendable {
        /// In ``text``.
        let range: Range<Int>
        let node: Int
    }

    /// What there is at one path: a route for each method, by its raw value; -1 for none.
    struct Endpoint: Sendable {
        var routes = InlineArray<10, Int32>(repeating: -1)
        var methods: HTTPMethods = []
    }

    private(set) var nodes: [Node] = []
    private(set) var edges: [Edge] = []
    private(set) var text: [UInt8] = []
    private(set) var endpoints: [Endpoint] = []
    /// All methods that any route has.
    private(set) var methods: HTTPMethods = []

    /// - Precondition: no two routes have the same path and method. The message names both.
    init(_ routes: [(methods: HTTPMethods, pattern: PathPattern)]) {
        let root = Draft()
        for (index, route) in routes.enumerated() {
            let draft = root.descend(route.pattern.segments)
            for raw in 0..<10 where route.methods.contains(HTTPMethods(rawValue: 1 << UInt16(raw))) {
                if let other = draft.routes[raw] {
                    preconditionFailure("two routes for one path: \(routes[other].pattern.text) and \(route.pattern.text)")
                }
                draft.routes[raw] = index
            }
            methods.formUnion(Self.allowed(route.methods))
        }
        _ = add(root)
    }

    /// With what the router does by itself.
    static func allowed(_ methods: HTTPMethods) -> HTTPMethods {
        methods.contains(.get) ? methods.union([.head, .options]) : methods.union(.options)
    }

    private mutating func add(_ draft: Draft) -> Int {
        let index = nodes.count
        nodes.append(Node())
        let sorted = draft.literals.sorted { one, other in
            one.key.count != other.key.count ? one.key.count < other.key.count : one.key.lexicographicallyPrecedes(other.key)
        }
        // Those of one node stand together: theirs are added before their children's.
        let first = edges.count
        for (name, _) in sorted {
            edges.append(Edge(range: text.count..<text.count + name.count, node: -1))
            text += name
        }
        for (offset, child) in sorted.enumerated() {
            edges[first + offset] = Edge(range: edges[first + offset].range, node: add(child.value))
        }
        nodes[index].edges = first..<first + sorted.count
        if let parameter = draft.parameter { nodes[index].parameter = add(parameter) }
        if let rest = draft.rest { nodes[index].rest = addEndpoint(rest.routes) }
        if !draft.routes.isEmpty { nodes[index].endpoint = addEndpoint(draft.routes) }
        return index
    }

    private mutating func addEndpoint(_ routes: [Int: Int]) -> Int {
        var endpoint = Endpoint()
        for (raw, route) in routes {
            endpoint.routes[raw] = Int32(route)
            endpoint.methods.formUnion(HTTPMethods(rawValue: 1 << UInt16(raw)))
        }
        endpoint.methods = Self.allowed(endpoint.methods)
        endpoints.append(endpoint)
        return endpoints.count - 1
    }

    /// The tree while it grows.
    private final class Draft {
        var literals: [[UInt8]: Draft] = [:]
        var parameter: Draft?
        var rest: Draft?
        var routes: [Int: Int] = [:]

        func descend(_ segments: [PathPattern.Segment]) -> Draft {
            segments.reduce(self) { $0.child($1) }
        }

        private func child(_ segment: PathPattern.Segment) -> Draft {
            let made = Draft()
            switch segment {
            case .literal(let name):
                let child = literals[name] ?? made
                literals[name] = child
                return child
            case .parameter:
                let child = parameter ?? made
                parameter = child
                return child
            case .rest:
                let child = rest ?? made
                rest = child
                return child
            }
        }
    }
}
