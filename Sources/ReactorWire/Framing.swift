/// Finds where frames begin and end in a stream of bytes, and writes frames that the same framing reads back.
///
/// A framing copies nothing and allocates nothing for a frame: it gives offsets into the lent bytes. In a handler:
///
/// ```swift
/// while let frame = try framing.next(in: bytes, from: used) {
///     handle(bytes.slice(frame.payload))
///     used = frame.next
/// }
/// return used
/// ```
///
/// Every framing has a limit for a whole frame, with what frames it: what a peer can make us keep until the frame is
/// complete. It must be at most `ConnectionLimits.maxUnconsumedInput`, as all defaults are.
public protocol Framing {
    /// What a peer can do wrong. Behind a violation it is not known where the next frame begins: close the connection.
    associatedtype Violation: Error

    /// Looks for the frame that starts at `start`; nil if its end has not arrived. Then call again with the same bytes
    /// at the same start (moved to the front is fine: pass the new `start`) and more behind them.
    mutating func next(in bytes: RawSpan, from start: Int) throws(Violation) -> Frame?

    /// Appends `payload` as one frame. What this framing would not read back as the same payload is refused.
    func append(_ payload: RawSpan, to output: inout ByteQueue) throws(FrameError)
}

/// Where a frame lies in the bytes that were searched.
public struct Frame: Equatable, Sendable {
    /// The frame's content, without what frames it.
    public let payload: Range<Int>
    /// The offset behind the frame, where the next one starts.
    public let next: Int

    @inlinable public init(payload: Range<Int>, next: Int) {
        self.payload = payload
        self.next = next
    }
}

/// The payload cannot be sent in a frame of this kind: a mistake of the sender's, on this side.
public enum FrameError: Error, Equatable, Sendable {
    /// The frame would be longer than the framing's limit, or than its length field can say.
    case tooLong
    /// The frame would be shorter than the framing can say, or not of its fixed size.
    case wrongSize
    /// The payload holds what would end the frame early.
    case containsDelimiter
}

/// Limits that framings have by default, in bytes and for a whole frame.
public enum FramingLimits {
    /// A line, or what ends in a delimiter. 8 KiB, what HTTP servers commonly allow a line.
    public static let line = 8 * 1024
    /// A frame that says its length. 256 KiB: large enough for most messages, and small enough that a thousand peers
    /// which announce one and stop cannot hold more than 256 MiB.
    public static let message = 256 * 1024
}
