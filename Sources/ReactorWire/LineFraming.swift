/// Lines that end in CRLF, as SMTP (RFC 5321 section 2.3.8), HTTP and their kin have them.
///
/// Remembers how far it has looked, so that a line that arrives byte by byte is searched once. A bare CR or a bare LF
/// is reported, never taken for a line's end: peers that disagree on where a line ends are how requests are smuggled.
public struct LineFraming: Sendable {
    public enum Result: Equatable, Sendable {
        /// A whole line: its bytes without the CRLF, and the offset behind the CRLF.
        case line(Range<Int>, next: Int)
        /// No line's end yet: call again with more bytes behind the same start.
        case incomplete
        /// More than ``LineFraming/limit`` bytes and no end.
        case tooLong
        /// A CR without LF, or a LF without CR. `next` is the offset behind the LF if one ends this line, so that a
        /// protocol can refuse the line and go on behind it.
        case bareLineBreak(next: Int?)
    }

    /// The longest line accepted, CRLF included, in bytes.
    public let limit: Int
    private var searched = 0

    public init(limit: Int) { self.limit = limit }

    /// Looks for the line that starts at `start`. On `.incomplete`, call again with the same bytes at the same start
    /// (moved to the front is fine: pass the new `start`) and more behind them.
    public mutating func next(in bytes: RawSpan, from start: Int = 0) -> Result {
        let available = bytes.byteCount - start
        guard let lineFeed = bytes.firstIndex(of: UInt8(ascii: "\n"), from: start + min(searched, available)) else {
            searched = available
            return available >= limit ? .tooLong : .incomplete
        }
        searched = 0
        if lineFeed + 1 - start > limit { return .tooLong }
        guard lineFeed > start, bytes[lineFeed - 1] == UInt8(ascii: "\r") else { return .bareLineBreak(next: lineFeed + 1) }
        if bytes.slice(start..<lineFeed - 1).firstIndex(of: UInt8(ascii: "\r")) != nil {
            return .bareLineBreak(next: lineFeed + 1)
        }
        return .line(start..<lineFeed - 1, next: lineFeed + 1)
    }
}
