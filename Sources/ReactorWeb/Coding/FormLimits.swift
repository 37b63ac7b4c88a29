public import ReactorHTTP

/// What a peer may send in a form or a query.
public struct FormLimits: Equatable, Sendable {
    /// The longest form, in bytes as sent; 413 past it. 1 MiB, as ``HTTPLimits/body``.
    public var bytes = 1024 * 1024
    /// The most fields; 400 past it. 1,000, as PHP's `max_input_vars`: each becomes two strings.
    public var fields = 1000
    /// The longest name, in bytes as sent; 400 past it. Names are hashed, and Swift hashes a string of many accents in
    /// quadratic time: 512 bytes take microseconds.
    public var name = 512
    /// How deep names may be nested, as in `a[b][c]`, which is 3; 400 past it.
    public var depth = 8

    public init() {}

    public static var `default`: FormLimits { FormLimits() }
}

/// The peer sent a form or a query past ``FormLimits``, or one that cannot be what the application decodes.
public enum FormViolation: Error, Equatable, Sendable {
    case tooLong
    case tooManyFields
    case nameTooLong
    case nestedTooDeeply
    /// A name such as `a[b`.
    case malformedName

    /// The answer to send.
    public var status: HTTPStatus { self == .tooLong ? .contentTooLarge : .badRequest }
}
