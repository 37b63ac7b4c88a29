/// What one JSON-RPC message may hold. The size of a message is ``ReactorHTTP/HTTPLimits/body``.
public struct RPCLimits: Sendable {
    /// The most entries in a batch; -32600 past it. 100 keeps one message from holding a loop for long.
    public var batch = 100
    /// The deepest nesting of arrays and objects; -32700 past it. 64 is past what people write, and shallow enough for
    /// the small stacks of worker threads: values above 128 count as 128.
    public var nesting = 64
    /// The most values in a message, counted by its commas and opening brackets; -32700 past it. A value takes
    /// microseconds and some hundred bytes however short it is sent: 65,536 keep one message to a quarter of a second.
    public var values = 65_536
    /// The longest name of an object's member, in bytes as it is sent; -32700 past it. Names are looked up by their
    /// canonical form, and to make it takes time that grows with the square of the accents on one letter: 512 bytes of
    /// them, as often as a megabyte holds them, take a tenth of a second; one name of a megabyte, a minute.
    public var memberName = 512

    public init() {}

    public static var `default`: RPCLimits { RPCLimits() }
}
