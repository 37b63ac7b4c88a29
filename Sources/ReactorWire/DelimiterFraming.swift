/// Frames that end in a delimiter of one or more bytes, which the payload cannot hold.
///
/// Remembers how far it has looked, so that a frame that arrives byte by byte is searched once.
public struct DelimiterFraming: Framing, Sendable {
    public enum Violation: Error, Equatable, Sendable {
        /// More than ``DelimiterFraming/limit`` bytes and no delimiter.
        case tooLong
    }

    public let delimiter: [UInt8]
    /// The longest frame accepted, its delimiter included, in bytes.
    public let limit: Int
    private var searched = 0

    public init(_ delimiter: [UInt8], limit: Int = FramingLimits.line) {
        precondition(!delimiter.isEmpty, "a delimiter has at least one byte")
        self.delimiter = delimiter
        self.limit = limit
    }

    /// Looks for the frame that starts at `start`; see ``Framing``.
    public mutating func next(in bytes: RawSpan, from start: Int = 0) throws(Violation) -> Frame? {
        let available = bytes.byteCount - start
        guard let found = position(in: bytes, from: start + min(searched, available)) else {
            // The last bytes may be the delimiter's first.
            searched = max(0, available - (delimiter.count - 1))
            if available >= limit { throw .tooLong }
            return nil
        }
        searched = 0
        let next = found + delimiter.count
        if next - start > limit { throw .tooLong }
        return Frame(payload: start..<found, next: next)
    }

    public func append(_ payload: RawSpan, to output: inout ByteQueue) throws(FrameError) {
        if payload.byteCount > limit - delimiter.count { throw .tooLong }
        let mark = output.count
        output.append(payload)
        output.append(delimiter)
        // With its delimiter behind it: the payload's last bytes may be the delimiter's first.
        if position(in: output.bytes, from: mark) != mark + payload.byteCount {
            output.removeLast(output.count - mark)
            throw .containsDelimiter
        }
    }

    private func position(in bytes: RawSpan, from start: Int) -> Int? {
        var offset = start
        while let first = bytes.firstIndex(of: delimiter[0], from: offset) {
            if bytes.byteCount - first < delimiter.count { return nil }
            if matches(bytes, at: first) { return first }
            offset = first + 1
        }
        return nil
    }

    private func matches(_ bytes: RawSpan, at start: Int) -> Bool {
        for index in 1..<delimiter.count where bytes[start + index] != delimiter[index] { return false }
        return true
    }
}
