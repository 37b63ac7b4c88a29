import ReactorHTTP
import ReactorWire

/// What a table says of a request.
struct RouteMatch {
    enum Found: Equatable {
        case route(Int)
        /// The path is there, without a route for the method.
        case otherMethods(HTTPMethods)
        case nothing
        /// A percent-encoding is malformed, or what it encodes is no UTF-8 or has a NUL.
        case malformed
    }

    var found = Found.nothing
    /// Where the values of the route's parameters stand in the path.
    var parameters = InlineArray<16, PathParameter>(repeating: PathParameter())
    var count = 0
}

extension RouteTable {
    /// Finds the route. Allocates nothing, and visits each place of the tree once at most.
    func match(_ path: RawSpan, _ method: HTTPMethod) -> RouteMatch {
        var match = RouteMatch()
        guard path.byteCount > 0, path[0] == UInt8(ascii: "/"), path.byteCount <= Int(UInt16.max) else { return match }
        let isEncoded = path.firstIndex(of: UInt8(ascii: "%")) != nil
        if isEncoded && !PercentEncoding.isWellFormed(path) {
            match.found = .malformed
            return match
        }
        var search = Search(path: path, method: method, isEncoded: isEncoded)
        if visit(0, from: 1, &search, &match) { return match }
        match.found = search.methods.isEmpty ? .nothing : .otherMethods(search.methods)
        return match
    }

    private struct Search: ~Escapable {
        let path: RawSpan
        let method: HTTPMethod
        let isEncoded: Bool
        /// That the paths found so far have.
        var methods: HTTPMethods = []

        @_lifetime(copy path)
        init(path: RawSpan, method: HTTPMethod, isEncoded: Bool) {
            self.path = path
            self.method = method
            self.isEncoded = isEncoded
        }
    }

    /// Goes on at a node with the segment at `start`, one past the path's end if there is none. The tree is as deep as the
    /// longest pattern, whatever the path.
    private func visit(_ index: Int, from start: Int, _ search: inout Search, _ match: inout RouteMatch) -> Bool {
        let node = nodes[index]
        if start > search.path.byteCount { return take(node.endpoint, &search, &match) }
        let end = search.path.firstIndex(of: UInt8(ascii: "/"), from: start) ?? search.path.byteCount
        let segment = search.path.slice(start..<end)
        if let child = literal(segment, of: node, isEncoded: search.isEncoded), visit(child, from: end + 1, &search, &match) {
            return true
        }
        if node.parameter >= 0 && start < end {
            match.parameters[match.count] = PathParameter(start..<end)
            match.count += 1
            if visit(node.parameter, from: end + 1, &search, &match) { return true }
            match.count -= 1
        }
        guard node.rest >= 0 else { return false }
        match.parameters[match.count] = PathParameter(start..<search.path.byteCount)
        match.count += 1
        if take(node.rest, &search, &match) { return true }
        match.count -= 1
        return false
    }

    private func take(_ endpoint: Int, _ search: inout Search, _ match: inout RouteMatch) -> Bool {
        if endpoint < 0 { return false }
        var route = endpoints[endpoint].routes[Int(search.method.rawValue)]
        if route < 0 && search.method == .head { route = endpoints[endpoint].routes[Int(HTTPMethod.get.rawValue)] }
        if route < 0 {
            search.methods.formUnion(endpoints[endpoint].methods)
            return false
        }
        match.found = .route(Int(route))
        return true
    }

    private func literal(_ segment: RawSpan, of node: Node, isEncoded: Bool) -> Int? {
        if isEncoded && segment.firstIndex(of: UInt8(ascii: "%")) != nil {
            for index in node.edges where PercentEncoding.decodes(segment, to: text.span.bytes.slice(edges[index].range)) {
                return edges[index].node
            }
            return nil
        }
        var (low, high) = (node.edges.lowerBound, node.edges.upperBound)
        while low < high {
            let middle = (low + high) / 2
            let order = compare(segment, edges[middle].range)
            if order == 0 { return edges[middle].node }
            if order < 0 { high = middle } else { low = middle + 1 }
        }
        return nil
    }

    private func compare(_ segment: RawSpan, _ range: Range<Int>) -> Int {
        if segment.byteCount != range.count { return segment.byteCount - range.count }
        return segment.order(to: text.span.bytes.slice(range))
    }
}
