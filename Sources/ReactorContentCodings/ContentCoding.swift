import ReactorWire

/// A content coding that can be written and read (RFC 9110 section 8.4.1), by its registered name.
public enum ContentCoding: UInt8, CaseIterable, Hashable, Sendable {
    /// RFC 1952.
    case gzip
    /// RFC 1950: the zlib format, not the bare data format that shares its name.
    case deflate
    /// RFC 7932.
    case br
    /// RFC 8878, with the window of RFC 9659.
    case zstd

    /// The coding of that name, which is compared without case. `x-gzip` is gzip (RFC 9110 section 8.4.1.3). Nil for
    /// `identity` and for what is not known.
    public init?(name: RawSpan) {
        if name.equalsIgnoringCase("gzip") || name.equalsIgnoringCase("x-gzip") {
            self = .gzip
        } else if name.equalsIgnoringCase("deflate") {
            self = .deflate
        } else if name.equalsIgnoringCase("br") {
            self = .br
        } else if name.equalsIgnoringCase("zstd") {
            self = .zstd
        } else {
            return nil
        }
    }

    /// As it is written in Content-Encoding and Accept-Encoding.
    public var name: StaticString {
        switch self {
        case .gzip: "gzip"
        case .deflate: "deflate"
        case .br: "br"
        case .zstd: "zstd"
        }
    }
}

/// A library of a coding cannot go on: it has no memory. A failure of the system, not the peer's.
public struct ContentCodingFailure: Error, Equatable, Sendable {
    public let coding: ContentCoding
}
