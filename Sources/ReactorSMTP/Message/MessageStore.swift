/// Where accepted messages go. When a store says that it has committed a message, responsibility for it has passed to the
/// store (RFC 5321 section 4.2.5): only then does the sender get its 250.
public protocol MessageStore: Sendable {
    /// Stores the message so that it survives what the store promises to survive; all of it or nothing.
    ///
    /// Called from any thread, several at once. It does not block: loops call it.
    ///
    /// - Parameter then: told of the outcome, once, on any thread, before this returns or later.
    func commit(
        _ envelope: Envelope, _ content: MessageContent, then: @escaping @Sendable (Result<Void, MessageStoreError>) -> Void)

    /// Makes a file for a content that is not to be held in memory; it may block. A store that returns nil is given every
    /// content in memory. Default: nil.
    func makeContentFile(for id: QueueID) throws(MessageStoreError) -> ContentFile?
}

extension MessageStore {
    public func makeContentFile(for id: QueueID) throws(MessageStoreError) -> ContentFile? { nil }
}

/// A message could not be stored. The sender is told to try again later.
public enum MessageStoreError: Error, Equatable, Sendable {
    /// There is no room; the reply is 452 4.3.1.
    case full(String)
    /// Anything else; the reply is 451 4.3.0.
    case failed(String)
}

/// Accepts every message and keeps none: for tests, benchmarks and a demonstration's sink.
public struct DiscardingStore: MessageStore {
    private let received: @Sendable (Envelope, MessageContent) -> Void

    /// - Parameter received: told of each message, from any thread.
    public init(_ received: @escaping @Sendable (Envelope, MessageContent) -> Void = { _, _ in }) { self.received = received }

    public func commit(
        _ envelope: Envelope, _ content: MessageContent, then: @escaping @Sendable (Result<Void, MessageStoreError>) -> Void
    ) {
        received(envelope, content)
        then(.success(()))
    }
}
