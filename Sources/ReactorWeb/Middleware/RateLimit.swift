public import ConnectionHandling
public import ReactorHTTP
import ReactorWire

extension ClientKey {
    /// Text is kept as a digest: a peer chooses how long it is, and what hashing a string costs.
    init(_ text: RawSpan) { self = .text(text.byteCount <= 32 ? text.array : [0] + DigestAlgorithm.sha256.digest(of: text)) }
}

/// Allows each client so many requests in a while, and answers 429 to those past it, with `Retry-After`.
///
/// A token bucket for each key: it holds ``burst`` requests, and fills with ``limit`` of them in each ``window``. Shared by all
/// loops of a process; under `fork` and `prefork` each process counts for itself.
public struct RateLimit: HTTPMiddleware {
    /// Whose requests are counted together.
    public enum Key: Sendable {
        /// Those of one address; for IPv6 of one network of 64 bits, which is what a household is given. Behind a proxy that is
        /// the proxy's, unless it sends PROXY protocol.
        case peer
        /// Those with the same value of a field, such as an API key; its name in lower case. Without the field: by peer. Put it
        /// behind what checks the key: who may make up values has no limit.
        case field(StaticString)
        /// What the closure says; nil: not limited.
        case custom(@Sendable (borrowing RequestView, SocketAddress) -> String?)
    }

    /// What this request has left of its client's quota.
    private struct Quota {
        var remaining: UInt64
        var reset: UInt64
        var retryAfter: UInt64?
    }
    private enum QuotaKey: ExchangeContextKey { typealias Value = Quota }

    private let key: Key
    private let bucket: TokenBucket
    private let buckets: BucketTable
    private let announces: Bool
    private let policy: String

    /// - Parameters:
    ///   - limit: requests in each `window`.
    ///   - burst: the most at once, for a client that was silent; nil: `limit`.
    ///   - clients: the most clients that are remembered, those silent longest forgotten first. 100,000 take some 15 MB. Who has
    ///     more addresses than that is not held by a limit for each.
    ///   - announces: tells clients with each answer what is left, by `RateLimit` and `RateLimit-Policy`
    ///     (draft-ietf-httpapi-ratelimit-headers-10).
    /// - Precondition: `limit` and `window` are above zero, and `burst` is not below one.
    public init(
        _ limit: Int, per window: Duration, burst: Int? = nil, by key: Key = .peer, clients: Int = 100_000, announces: Bool = true
    ) {
        self.key = key
        self.announces = announces
        bucket = TokenBucket(limit: limit, window: window, burst: burst ?? limit)
        buckets = BucketTable(capacity: clients)
        policy = "\"default\";q=\(limit);w=\(max(window.components.seconds, 1))"
    }

    public func received(_ request: borrowing RequestView, with response: inout ResponseWriter) {
        guard let client = client(of: request, response.peer) else { return }
        let decision = buckets.take(from: bucket, for: client, at: response.now)
        if !announces && decision.isAllowed { return }
        response.context[QuotaKey.self] = Quota(
            remaining: decision.remaining, reset: Self.seconds(decision.untilFull), retryAfter: decision.wait.map(Self.seconds))
        if !decision.isAllowed { response.sendStatus(HTTPStatus(429)) }
    }

    public func sending(_ status: HTTPStatus, with response: inout ResponseWriter) {
        guard let context = response.existingContext, let quota = context[QuotaKey.self] else { return }
        // Where two limits stand one in the other, each tells of its own.
        context[QuotaKey.self] = nil
        if let seconds = quota.retryAfter { response.field("Retry-After", String(seconds)) }
        guard announces else { return }
        response.field("RateLimit-Policy", policy)
        response.field("RateLimit", "\"default\";r=\(quota.remaining);t=\(quota.reset)")
    }

    /// Rounded up: who comes back then is let in.
    private static func seconds(_ nanoseconds: UInt64) -> UInt64 { nanoseconds / 1_000_000_000 + (nanoseconds % 1_000_000_000 > 0 ? 1 : 0) }

    private func client(of request: borrowing RequestView, _ peer: SocketAddress) -> ClientKey? {
        switch key {
        case .peer: return ClientKey(peer)
        case .field(let name):
            guard let value = request.field(name) else { return ClientKey(peer) }
            return ClientKey(value)
        case .custom(let choose):
            guard let text = choose(request, peer) else { return nil }
            return ClientKey(Array(text.utf8).span.bytes)
        }
    }
}
