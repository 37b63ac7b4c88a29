import ReactorWire

/// The parts of a request target (RFC 9112 section 3.2), counted from the head's first byte.
struct RequestTarget {
    var path = 0..<0
    /// Behind the `?`; nil without one.
    var query: Range<Int>?
    /// The host of an absolute target, which takes the place of the Host field (RFC 9112 section 3.2.2).
    var authority: Range<Int>?

    init() {}

    /// Origin-form, absolute-form, or `*` with OPTIONS. `range` is not empty; `mark` is where its first `?` stands, or its
    /// end.
    init(_ range: Range<Int>, mark: Int, of bytes: RawSpan, method: HTTPMethod) throws(HTTPViolation) {
        if bytes[range.lowerBound] == UInt8(ascii: "/") {
            split(range, at: mark)
        } else if method == .options && bytes.slice(range).equals("*") {
            path = range
        } else if method != .connect {
            try readAbsolute(range, mark: mark, of: bytes)
        }
    }

    private mutating func split(_ range: Range<Int>, at mark: Int) {
        path = range.lowerBound..<mark
        if mark < range.upperBound { query = mark + 1..<range.upperBound }
    }

    private mutating func readAbsolute(_ range: Range<Int>, mark: Int, of bytes: RawSpan) throws(HTTPViolation) {
        let target = bytes.slice(range)
        let scheme: Int
        if target.byteCount > 7, target.slice(0..<7).equalsIgnoringCase("http://") {
            scheme = 7
        } else if target.byteCount > 8, target.slice(0..<8).equalsIgnoringCase("https://") {
            scheme = 8
        } else {
            throw .badRequest
        }
        var end = scheme
        while end < target.byteCount, target[end] != UInt8(ascii: "/"), target[end] != UInt8(ascii: "?") { end += 1 }
        let host = range.lowerBound + scheme..<range.lowerBound + end
        // An http URI has a host (RFC 9110 section 4.2.1).
        guard !host.isEmpty, isHost(host, of: bytes) else { throw .badRequest }
        authority = host
        split(host.upperBound..<range.upperBound, at: mark)
        // An empty path means "/" (RFC 9110 section 4.2.3): lend the last slash of the scheme for it.
        if path.isEmpty { path = host.lowerBound - 1..<host.lowerBound }
    }
}
