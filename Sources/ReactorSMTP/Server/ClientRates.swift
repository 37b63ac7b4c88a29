import ConnectionHandling

/// How many messages, recipients and passwords came from each address lately, over all connections of the process.
final class ClientRates: Sendable {
    private let messages: Counter?
    private let recipients: Counter?
    private let attempts: Counter?

    private struct Counter: Sendable {
        let bucket: TokenBucket
        let table: BucketTable

        init?(perMinute limit: Int, clients: Int) {
            if limit <= 0 { return nil }
            bucket = TokenBucket(limit: limit, window: .seconds(60), burst: limit)
            table = BucketTable(capacity: max(clients, 1))
        }

        func allows(_ peer: SocketAddress, at now: MonotonicTime) -> Bool {
            table.take(from: bucket, for: ClientKey(peer), at: now).isAllowed
        }
    }

    init(_ limits: SMTPServerLimits) {
        messages = Counter(perMinute: limits.messagesPerMinute, clients: limits.clients)
        recipients = Counter(perMinute: limits.recipientsPerMinute, clients: limits.clients)
        attempts = Counter(perMinute: limits.attemptsPerMinute, clients: limits.clients)
    }

    func allowsMessage(from peer: SocketAddress, at now: MonotonicTime) -> Bool { messages?.allows(peer, at: now) ?? true }
    func allowsAttempt(from peer: SocketAddress, at now: MonotonicTime) -> Bool { attempts?.allows(peer, at: now) ?? true }
    func allowsRecipient(from peer: SocketAddress, at now: MonotonicTime) -> Bool { recipients?.allows(peer, at: now) ?? true }
}
