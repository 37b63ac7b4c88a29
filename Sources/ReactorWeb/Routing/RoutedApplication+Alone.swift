package import ReactorHTTP
package import ReactorWire

extension RoutedApplication {
    /// For what measures routing with no request around it: the parameters that the route of this path has; nil if there is none.
    package func parametersOfRoute(for path: RawSpan, _ method: HTTPMethod) -> Int? {
        let match = site.other.table.match(path, method)
        guard case .route = match.found else { return nil }
        return match.count
    }
}
