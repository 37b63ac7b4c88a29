public import ConnectionHandling
public import HTTPTypes
public import ReactorHTTP
import ReactorWire

/// A request as an `async` handler has it: a copy of its own, which may go anywhere. What is asked of it is made when it is
/// asked for.
public struct Request: Sendable {
    private let owned: OwnedRequest
    /// Who asked: the other end of the connection.
    public let peer: SocketAddress
    /// The body. Read it once.
    public let body: RequestBody
    private let values: [ObjectIdentifier: any Sendable]

    init(_ owned: OwnedRequest, peer: SocketAddress, body: RequestBody, values: [ObjectIdentifier: any Sendable]) {
        self.owned = owned
        self.peer = peer
        self.body = body
        self.values = values
    }

    /// What middleware has left for the handler in the exchange's context: the user that was authenticated, the request's id.
    /// As it was when the handler was called.
    public subscript<Key: ExchangeContextKey>(key: Key.Type) -> Key.Value? { values[ObjectIdentifier(key)] as? Key.Value }

    /// Method, target and fields. The authority is what the request is for; the scheme that of an absolute target.
    public var head: HTTPRequest { owned.head }
    /// The fields in the order sent.
    public var fields: HTTPFields { owned.head.headerFields }
    public var method: HTTPRequest.Method { HTTPRequest.Method(owned.method) ?? owned.head.method }
    /// The path as it was sent, percent-encoding and all.
    public var path: String { owned.withView { $0.path.text } }
    /// What stands behind the `?`, as it was sent; nil without one.
    public var query: String? { owned.withView { $0.query?.text } }
    /// The first value of that field; `lowercaseName` must be written in lower case.
    public func field(_ lowercaseName: StaticString) -> String? { owned.withView { $0.field(lowercaseName)?.text } }

    /// The value of a parameter of the route's path, decoded.
    ///
    /// The rest of a path (`{name...}`) is decoded, too: a slash that was encoded looks there like any other.
    ///
    /// - Precondition: the route has a parameter of that name.
    public func parameter(_ name: String) -> String {
        guard let value = owned.withView({ $0.parameter(name) }) else { preconditionFailure("the route has no parameter \(name)") }
        return value
    }

    /// The value of a parameter as a number or whatever else is written so.
    ///
    /// - Throws: ``HTTPError`` with 404 if it is none: there is no such path.
    /// - Precondition: the route has a parameter of that name.
    public func parameter<Value: LosslessStringConvertible>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
        guard let value = Value(parameter(name)) else { throw HTTPError(.notFound, "\(name) is no \(type)") }
        return value
    }

    /// Calls `body` with the request as synchronous handlers have it.
    public func withView<Result>(_ body: (borrowing RequestView) throws -> Result) rethrows -> Result {
        try owned.withView(body)
    }
}

extension RequestView {
    /// The value of a parameter of the route's path, decoded; nil if the route has none of that name.
    public func parameter(_ name: String) -> String? {
        guard let value = rawParameter(name) else { return nil }
        return PercentEncoding.decode(value)
    }
}
