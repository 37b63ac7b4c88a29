/// Frames that begin with their length, an integer of 1, 2, 3, 4 or 8 bytes, with the payload behind it.
///
/// What the length counts differs: by default it counts the payload; it may count itself as well, and more or fewer
/// bytes than are there:
///
/// ```swift
/// LengthPrefixFraming(.four)                                   // the payload's length
/// LengthPrefixFraming(.two, .little, countsItself: true)       // the length of both
/// LengthPrefixFraming(.three, adjustment: 6)                   // six more bytes than it says, as HTTP/2's frames
/// ```
public struct LengthPrefixFraming: Framing, Sendable {
    public enum Violation: Error, Equatable, Sendable {
        /// The frame is longer than ``LengthPrefixFraming/limit``: known before its payload has come. `length` is what
        /// the peer's length field says.
        case tooLong(length: UInt64)
        /// The length is less than that of what it counts beside the payload.
        case tooShort(length: UInt64)
    }

    /// The length field's own size in bytes.
    public enum Width: Int, Sendable {
        case one = 1, two = 2, three = 3, four = 4, eight = 8
    }

    public let width: Width
    public let order: ByteOrder
    /// Bytes behind the length field, less what the length says.
    public let adjustment: Int
    /// The longest frame accepted, its length field included, in bytes.
    public let limit: Int

    /// - Parameters:
    ///   - countsItself: the length includes the length field.
    ///   - adjustment: how many more bytes there are than the length counts, or fewer if negative.
    ///   - limit: the longest frame accepted, its length field included, in bytes.
    public init(
        _ width: Width, _ order: ByteOrder = .big, countsItself: Bool = false, adjustment: Int = 0,
        limit: Int = FramingLimits.message
    ) {
        precondition(abs(adjustment) < 1 << 31 && limit >= width.rawValue, "a frame's limits must make sense")
        self.width = width
        self.order = order
        self.adjustment = adjustment - (countsItself ? width.rawValue : 0)
        self.limit = limit
    }

    /// Looks for the frame that starts at `start`; see ``Framing``.
    @inlinable public func next(in bytes: RawSpan, from start: Int = 0) throws(Violation) -> Frame? {
        guard let length = length(in: bytes, at: start) else { return nil }
        let body = start + width.rawValue
        // A length that is too large for Int is clamped, and too long in any case.
        let (count, overflow) = Int(clamping: length).addingReportingOverflow(adjustment)
        if overflow || count > limit - width.rawValue { throw .tooLong(length: length) }
        if count < 0 { throw .tooShort(length: length) }
        return bytes.byteCount - body >= count ? Frame(payload: body..<body + count, next: body + count) : nil
    }

    @inlinable func length(in bytes: RawSpan, at start: Int) -> UInt64? {
        switch width {
        case .one: bytes.integer(at: start, as: UInt8.self).map { UInt64($0) }
        case .two: bytes.integer(at: start, as: UInt16.self, order).map { UInt64($0) }
        case .three: bytes.uint24(at: start, order).map { UInt64($0) }
        case .four: bytes.integer(at: start, as: UInt32.self, order).map { UInt64($0) }
        case .eight: bytes.integer(at: start, as: UInt64.self, order)
        }
    }

    public func append(_ payload: RawSpan, to output: inout ByteQueue) throws(FrameError) {
        // Before the copy is made: room may be needed for what cannot be sent.
        _ = try checkedLength(of: payload.byteCount)
        try append(to: &output) { $0.append(payload) }
    }

    /// Appends a frame whose payload `body` appends, and fills in the length afterwards: no copy is made of it. `body`
    /// only appends. If the frame is refused, what `body` wrote is taken back.
    public func append(to output: inout ByteQueue, _ body: (inout ByteQueue) -> Void) throws(FrameError) {
        let mark = output.count
        for _ in 0..<width.rawValue { output.append(0 as UInt8) }
        body(&output)
        let count = output.count - mark - width.rawValue
        precondition(count >= 0, "a frame's body must only append")
        do throws(FrameError) {
            let length = try checkedLength(of: count)
            let first = order == .little ? 0 : width.rawValue - 1
            for index in 0..<width.rawValue {
                output.overwrite(at: mark + abs(first - index), with: UInt8(truncatingIfNeeded: length >> (index * 8)))
            }
        } catch {
            output.removeLast(output.count - mark)
            throw error
        }
    }

    /// What the length field says of a payload of `count` bytes.
    private func checkedLength(of count: Int) throws(FrameError) -> UInt64 {
        if count > limit - width.rawValue { throw .tooLong }
        let length = count - adjustment
        if length < 0 { throw .wrongSize }
        if width != .eight, length >> (width.rawValue * 8) != 0 { throw .tooLong }
        return UInt64(length)
    }
}
