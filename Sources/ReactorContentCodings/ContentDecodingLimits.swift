/// What the content of a peer may cost when it is decoded. A bomb is a few bytes that become many.
public struct ContentDecodingLimits: Sendable {
    /// Decoded bytes at most. 16 MiB: a body that is held whole takes that much memory.
    public var output = 16 * 1024 * 1024
    /// Decoded bytes for each encoded byte, at most. 200, as Apache has it: text seldom passes 20, and a bomb made with
    /// deflate has 1,000, one made with brotli or zstd more than 10,000.
    public var ratio = 200
    /// Up to so many decoded bytes ``ratio`` is not asked about: a few hundred equal lines are no bomb. 1 MiB.
    public var ratioFrom = 1024 * 1024
    /// Bytes that a decoder may have to look back, which it keeps in memory: 8 MiB, what RFC 9659 allows zstd. The
    /// others: at most 32 KiB for gzip and deflate, 16 MiB for brotli, of which only its largest window is refused by this.
    public var window = 8 * 1024 * 1024

    public init() {}
}

/// What is wrong with encoded content: the peer's doing.
public enum ContentViolation: Error, Hashable, Sendable {
    /// Not in the format, or its checksum is wrong.
    case malformed
    /// It has no end.
    case truncated
    /// Bytes stand behind its end.
    case trailingBytes
    /// It needs to look back further than ``ContentDecodingLimits/window``.
    case windowTooLarge
    /// Past ``ContentDecodingLimits/output``.
    case outputTooLarge
    /// Past ``ContentDecodingLimits/ratio``.
    case ratioTooLarge

    /// A limit was passed (413), not the format broken (400).
    public var isLimit: Bool {
        switch self {
        case .windowTooLarge, .outputTooLarge, .ratioTooLarge: true
        case .malformed, .truncated, .trailingBytes: false
        }
    }
}

/// Why content was not decoded.
public enum ContentDecodingError: Error, Equatable, Sendable {
    case violation(ContentViolation)
    case failure(ContentCodingFailure)
}
