import ReactorWire

/// Where the value of a path's parameter stands in the path, as it was sent.
package struct PathParameter: Sendable {
    private var start: UInt16 = 0
    private var end: UInt16 = 0

    package init() {}
    package init(_ range: Range<Int>) {
        start = UInt16(truncatingIfNeeded: range.lowerBound)
        end = UInt16(truncatingIfNeeded: range.upperBound)
    }

    package var range: Range<Int> { Int(start)..<Int(end) }
}

extension RequestView {
    /// The same request, with what its route calls parts of its path.
    @_lifetime(copy self, copy names, copy parameters)
    package func routed(names: Span<String>, _ parameters: Span<PathParameter>) -> RequestView {
        var routed = self
        routed.parameterNames = names
        routed.parameters = parameters
        return routed
    }

    /// The value of a parameter of the route's path, as it was sent, percent-encoding and all; nil if the route has none of
    /// that name.
    @_lifetime(copy self)
    public func rawParameter(_ name: String) -> RawSpan? {
        for index in parameterNames.indices where parameterNames[index] == name {
            return path.slice(parameters[index].range)
        }
        return nil
    }
}
