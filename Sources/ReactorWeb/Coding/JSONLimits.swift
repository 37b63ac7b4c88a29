import ReactorWire

/// What a peer may send in JSON, beside its length.
public struct JSONLimits: Equatable, Sendable {
    /// The deepest nesting of arrays and objects; 400 past it. 64 is past what people write, and shallow enough for the
    /// stacks of worker threads, whatever type is decoded: values above 128 count as 128.
    public var nesting = 64
    /// The longest name of an object's member, in bytes as it is sent; 400 past it. As ``FormLimits/name``: names are hashed,
    /// and one of a megabyte of accents would take minutes.
    public var memberName = 512

    public init() {}

    public static var `default`: JSONLimits { JSONLimits() }

    var bounds: JSONBounds { JSONBounds(nesting: nesting, memberName: memberName) }
}
