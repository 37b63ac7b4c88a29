/// Where accepted messages go. When ``commit(_:_:)`` returns, responsibility for the message has passed to the store
/// (RFC 5321 section 4.2.5): only then does the sender get its 250.
public protocol MessageStore: Sendable {
    /// Stores the message so that it survives what the store promises to survive; all of it or nothing.
    ///
    /// Called from any thread, several at once; it may block.
    ///
    /// - Parameter content: header and body, trace header included, in lines that end in CRLF, dots not stuffed.
    func commit(_ envelope: Envelope, _ content: [UInt8]) throws(MessageStoreError)
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
    private let received: @Sendable (Envelope, [UInt8]) -> Void

    /// - Parameter received: told of each message, from any thread.
    public init(_ received: @escaping @Sendable (Envelope, [UInt8]) -> Void = { _, _ in }) { self.received = received }

    public func commit(_ envelope: Envelope, _ content: [UInt8]) throws(MessageStoreError) { received(envelope, content) }
}
