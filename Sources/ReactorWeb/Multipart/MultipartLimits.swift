public import ReactorHTTP

/// What a peer may send as `multipart/form-data`. How long the whole may be is the limit of the request's body.
public struct MultipartLimits: Equatable, Sendable {
    /// The most parts; 400 past it. 1,000, as ``FormLimits/fields``.
    public var parts = 1000
    /// The longest head of a part in bytes, with the empty line that ends it; 400 past it. 8 KiB: a name, a file's name and a
    /// type take some hundred.
    public var head = 8 * 1024
    /// The longest name of a part, in bytes; 400 past it. As ``FormLimits/name``.
    public var name = 512
    /// What may stand before the first part, in bytes; 400 past it. Nothing should.
    public var preamble = 1024
    /// The largest part that is not a file, in bytes; 413 past it, where the parts are gathered in memory. 64 KiB holds
    /// long texts.
    public var value = 64 * 1024
    /// What the values may take together, in bytes; 413 past it. 1 MiB, as ``ReactorHTTP/HTTPLimits/body``.
    public var values = 1024 * 1024
    /// The most files in one form; 413 past it. 100: each holds a file in the file system.
    public var files = 100

    public init() {}

    public static var `default`: MultipartLimits { MultipartLimits() }
}

/// The peer sent what is no `multipart/form-data`, or is past ``MultipartLimits``.
public enum MultipartViolation: Error, Equatable, Sendable {
    /// The Content-Type is another, or has no boundary that RFC 2046 section 5.1.1 allows.
    case notMultipart
    /// A line begins with the boundary and is no delimiter.
    case malformedDelimiter
    case malformedHead
    /// A part without a name (RFC 7578 section 4.2).
    case nameless
    /// The part says that it is encoded, as in `Content-Transfer-Encoding: base64`, which RFC 7578 section 4.7 forbids.
    case encoded
    /// The body has ended, and the last part has not.
    case truncated
    case preambleTooLong, headTooLong, nameTooLong, tooManyParts
    case valueTooLarge, tooManyFiles
    /// The application refuses the part.
    case refused(HTTPStatus)

    /// The answer to send.
    public var status: HTTPStatus {
        switch self {
        case .notMultipart: .unsupportedMediaType
        case .valueTooLarge, .tooManyFiles: .contentTooLarge
        case .refused(let status): status
        default: .badRequest
        }
    }
}
