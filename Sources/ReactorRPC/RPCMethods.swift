/// The methods that an ``RPCApplication`` serves.
///
/// ```swift
/// var methods = RPCMethods()
/// methods.add("greet") { parameters throws(RPCError) in
///     guard let name = try parameters.values("name")[0].string else { throw .invalidParams }
///     return .string("Hello, \(name)!")
/// }
/// ```
public struct RPCMethods: Sendable {
    enum Method: Sendable {
        case immediate(@Sendable (RPCParameters) throws -> JSONValue)
        case suspending(@Sendable (RPCParameters) async throws -> JSONValue)
    }

    private var methods: [String: Method] = [:]
    private var longestName = 0

    public init() {}

    /// Adds a method that answers at once. It is called on the connection's thread, so it must not block.
    ///
    /// - Precondition: `name` does not begin with `rpc.`, which the specification keeps for itself (section 8).
    public mutating func add(_ name: String, _ body: @escaping @Sendable (RPCParameters) throws -> JSONValue) {
        insert(.immediate(body), as: name)
    }

    /// Adds a method that suspends. The connection waits for it; others go on.
    ///
    /// - Precondition: as for ``add(_:_:)``.
    public mutating func addAsync(
        _ name: String, _ body: @escaping @Sendable (RPCParameters) async throws -> JSONValue
    ) {
        insert(.suspending(body), as: name)
    }

    private mutating func insert(_ method: Method, as name: String) {
        precondition(!name.hasPrefix("rpc."), "names that begin with 'rpc.' are the specification's")
        methods[name] = method
        longestName = max(longestName, name.utf8.count)
    }

    /// The method of that name. What is longer than every name is not looked up: a peer chooses it, and to look up one
    /// megabyte of accents on one letter takes a minute.
    subscript(name: String) -> Method? { name.utf8.count > longestName ? nil : methods[name] }
}
