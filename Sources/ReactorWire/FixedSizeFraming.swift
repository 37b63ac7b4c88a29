/// Frames that all have the same size. The size is their limit, and no peer can get it wrong.
public struct FixedSizeFraming: Framing, Sendable {
    public typealias Violation = Never

    /// The size of every frame in bytes.
    public let size: Int

    public init(size: Int) {
        precondition(size > 0, "a frame has at least one byte")
        self.size = size
    }

    /// Looks for the frame that starts at `start`; see ``Framing``.
    @inlinable public func next(in bytes: RawSpan, from start: Int = 0) -> Frame? {
        bytes.byteCount - start >= size ? Frame(payload: start..<start + size, next: start + size) : nil
    }

    public func append(_ payload: RawSpan, to output: inout ByteQueue) throws(FrameError) {
        if payload.byteCount != size { throw .wrongSize }
        output.append(payload)
    }
}
