import ConnectionHandling

/// What one HTTP peer may ask of the server. Every one of them is set by default.
public struct HTTPLimits: Equatable, Sendable {
    /// The longest request line in bytes, without its CRLF; 414 past it. RFC 9112 section 3 asks for at least 8,000.
    public var requestLine = 8 * 1024
    /// The longest head in bytes: request line, fields and the empty line; 431 past it. 16 KiB: browsers keep a site's
    /// cookies well below, and each connection that sends a head slowly makes the server hold so much. The positions in a
    /// head are 16-bit: values above 65,535 count as 65,535. Trailer fields may be as long together.
    public var head = 16 * 1024
    /// The most field lines in a head, and in a trailer section; 431 past it. At most 100, as Apache's
    /// `LimitRequestFields`: their positions stand in a fixed array on the stack.
    public var fields = HTTPLimits.mostFields
    /// The largest body in bytes; 413 past it. 1 MiB, as nginx's `client_max_body_size`. An application can set
    /// another for a request, by ``HTTPApplication/delivery(of:)``.
    public var body = 1024 * 1024
    /// How much of a body is passed over, in bytes, when its request was answered before it had come: the connection is
    /// closed past it. 64 KiB: about as much as is on its way already, and less than a new connection costs.
    public var discardedBody = 64 * 1024
    /// What the chunked coding may add to a body, in bytes, beside 8 for each byte of data that has come: size lines,
    /// extensions and trailers; 400 past it. 16 KiB, as for a head. Chunks of one byte each, the smallest, add 5.
    public var chunkOverhead = 16 * 1024
    /// The longest line of the chunked coding, in bytes with its CRLF: a size with its extensions, or a trailer;
    /// 400 past it. 4 KiB: extensions mean nothing here, and trailers are few and short.
    public var chunkLine = 4 * 1024
    /// Requests that a connection may have answered by one call of its driver; pipelined ones behind them wait for the next
    /// turn of the loop, behind the other connections. 64: more than clients send ahead, and a fraction of a millisecond for small answers.
    public var requestsPerTurn = 64
    /// Requests on one connection; the last one's answer says `Connection: close`. 10,000: made anew now and then,
    /// connections spread over the loops again, at a ten-thousandth of a handshake for each request. nginx has 1,000
    /// (`keepalive_requests`), to free what memory a connection has gathered; here it keeps none between requests.
    public var requests = 10_000
    /// A head must be whole this long after its first byte; 408 past it. 30 seconds is generous on a bad line, and ends
    /// a peer that sends a byte now and then to hold the connection.
    public var headTime: Duration = .seconds(30)
    /// A body must be whole this long after its head, and each piece of a streamed one this long after the one before it;
    /// 408 past it. One minute: 17 KiB a second for the largest body. ``ConnectionLimits/minReceiveRate`` ends a peer that
    /// sends a streamed body byte by byte.
    public var bodyTime: Duration = .seconds(60)
    /// A connection between requests is closed when it has been silent this long: 75 seconds, as nginx's
    /// `keepalive_timeout`.
    public var keepAliveTime: Duration = .seconds(75)

    /// An answer that the application awaits must come within this; 503 past it. Two minutes: past what a client waits.
    public var answerTime: Duration = .seconds(120)

    public init() {}

    public static var `default`: HTTPLimits { HTTPLimits() }

    static let mostFields = 100
    /// So that a chunk's size cannot overflow while it is read, digit by digit.
    static let largestBody = Int.max / 32
}

/// The limits as a connection keeps them: by reference, and their durations converted once.
final class ResolvedHTTPLimits: Sendable {
    private static let standard = ResolvedHTTPLimits(.default)

    /// Connections with the default limits, which are most, share them: 80 bytes less for each.
    static func resolving(_ limits: HTTPLimits) -> ResolvedHTTPLimits {
        limits == .default ? standard : ResolvedHTTPLimits(limits)
    }

    let requestLine: Int
    let head: Int
    let fields: Int
    let body: Int
    let discardedBody: Int
    let chunkOverhead: Int
    let chunkLine: Int
    let requestsPerTurn: Int
    let requests: UInt32
    let headTime: UInt64
    let bodyTime: UInt64
    let keepAliveTime: UInt64
    let answerTime: UInt64

    private init(_ limits: HTTPLimits) {
        requestLine = limits.requestLine
        head = min(limits.head, Int(UInt16.max))
        fields = min(limits.fields, HTTPLimits.mostFields)
        body = limits.body
        discardedBody = limits.discardedBody
        chunkOverhead = min(limits.chunkOverhead, HTTPLimits.largestBody)
        chunkLine = limits.chunkLine
        requestsPerTurn = max(limits.requestsPerTurn, 1)
        requests = UInt32(clamping: max(limits.requests, 1))
        headTime = limits.headTime.wholeNanoseconds
        bodyTime = limits.bodyTime.wholeNanoseconds
        keepAliveTime = limits.keepAliveTime.wholeNanoseconds
        answerTime = limits.answerTime.wholeNanoseconds
    }
}
