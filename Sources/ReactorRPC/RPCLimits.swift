/// What one JSON-RPC message may hold. The size of a message is ``ReactorHTTP/HTTPLimits/body``.
public struct RPCLimits: Sendable {
    /// The most entries in a batch; -32600 past it. 100 keeps one message from holding a loop for long.
    public var batch = 100
    /// The deepest nesting of arrays and objects; -32700 past it. 64 is past what people write, and shallow enough for
    /// the small stacks of worker threads: values above 256 count as 256.
    public var nesting = 64

    public init() {}

    public static var `default`: RPCLimits { RPCLimits() }
}
