public import ReactorSMTP
import Synchronization
import Testing

/// A store that keeps messages in memory, and can be told to fail.
public final class MemoryStore: MessageStore {
    private let kept = Mutex<[(Envelope, [UInt8])]>([])
    private let failure: MessageStoreError?

    public init(failing failure: MessageStoreError? = nil) { self.failure = failure }

    public func commit(
        _ envelope: Envelope, _ content: MessageContent, then: @escaping @Sendable (Result<Void, MessageStoreError>) -> Void
    ) {
        if let failure { return then(.failure(failure)) }
        var bytes: [UInt8] = []
        try? content.read(from: 0, upTo: content.size, into: &bytes)
        kept.withLock { $0.append((envelope, bytes)) }
        then(.success(()))
    }

    public var messages: [(envelope: Envelope, content: [UInt8])] { kept.withLock { $0.map { ($0.0, $0.1) } } }
    /// What the clients sent: contents without our trace header, which is the first three or four lines.
    public var bodies: [String] { messages.map { withoutTrace($0.content) } }
}

/// The content without its first header field.
public func withoutTrace(_ content: [UInt8]) -> String {
    var lines = String(decoding: content, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
    #expect(lines.first?.hasPrefix("Received: from ") == true)
    lines.removeFirst()
    while lines.first?.hasPrefix("\t") == true { lines.removeFirst() }
    return lines.joined(separator: "\r\n")
}
