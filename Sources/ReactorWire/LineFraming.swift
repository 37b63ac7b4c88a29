/// Lines that end in CRLF, as SMTP (RFC 5321 section 2.3.8), HTTP and their kin have them.
///
/// Remembers how far it has looked, so that a line that arrives byte by byte is searched once. A bare CR or a bare LF
/// is reported, never taken for a line's end: peers that disagree on where a line ends are how requests are smuggled.
/// For protocols that end lines in a LF as well there is ``LenientLineFraming``.
public struct LineFraming: Framing, Sendable {
    public enum Violation: Error, Equatable, Sendable {
        /// More than ``LineFraming/limit`` bytes and no end.
        case tooLong
        /// A CR without LF, or a LF without CR. `next` is the offset behind the LF that ends this line, so that a
        /// protocol can refuse the line and go on behind it.
        case bareLineBreak(next: Int)
    }

    /// The longest line accepted, CRLF included, in bytes.
    public let limit: Int
    private var searched = 0

    public init(limit: Int = FramingLimits.line) { self.limit = limit }

    /// Looks for the line that starts at `start`; see ``Framing``.
    public mutating func next(in bytes: RawSpan, from start: Int = 0) throws(Violation) -> Frame? {
        let available = bytes.byteCount - start
        guard let lineFeed = bytes.firstIndex(of: UInt8(ascii: "\n"), from: start + min(searched, available)) else {
            searched = available
            if available >= limit { throw .tooLong }
            return nil
        }
        searched = 0
        if lineFeed + 1 - start > limit { throw .tooLong }
        guard lineFeed > start, bytes[lineFeed - 1] == UInt8(ascii: "\r"),
            bytes.slice(start..<lineFeed - 1).firstIndex(of: UInt8(ascii: "\r")) == nil
        else { throw .bareLineBreak(next: lineFeed + 1) }
        return Frame(payload: start..<lineFeed - 1, next: lineFeed + 1)
    }

    /// Appends the line and its CRLF.
    public func append(_ payload: RawSpan, to output: inout ByteQueue) throws(FrameError) {
        if payload.byteCount > limit - 2 { throw .tooLong }
        if payload.firstIndex(of: UInt8(ascii: "\r")) != nil || payload.firstIndex(of: UInt8(ascii: "\n")) != nil {
            throw .containsDelimiter
        }
        output.append(payload)
        output.append("\r\n")
    }
}

/// Lines that end in LF or in CRLF, as many text protocols and most people's tools have them. A CR elsewhere is part of
/// the line. Not for a protocol that others parse as well and more strictly.
public struct LenientLineFraming: Framing, Sendable {
    public typealias Violation = DelimiterFraming.Violation
    private var lines: DelimiterFraming

    /// - Parameter limit: the longest line accepted, its end included, in bytes.
    public init(limit: Int = FramingLimits.line) { lines = DelimiterFraming([UInt8(ascii: "\n")], limit: limit) }

    /// Looks for the line that starts at `start`; see ``Framing``.
    public mutating func next(in bytes: RawSpan, from start: Int = 0) throws(Violation) -> Frame? {
        guard let line = try lines.next(in: bytes, from: start) else { return nil }
        var end = line.payload.upperBound
        if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        return Frame(payload: start..<end, next: line.next)
    }

    /// Appends the line and a LF.
    public func append(_ payload: RawSpan, to output: inout ByteQueue) throws(FrameError) {
        // The reader would take it for a part of the line's end.
        if payload.byteCount > 0, payload[payload.byteCount - 1] == UInt8(ascii: "\r") { throw .containsDelimiter }
        try lines.append(payload, to: &output)
    }
}
