/// Netstrings (D. J. Bernstein, 1997): the payload's length in decimal, a colon, the payload, a comma: `5:hello,`.
///
/// Strict: no leading zero, sign or space, and the comma is checked, so that each payload has one spelling.
public struct NetstringFraming: Framing, Sendable {
    public enum Violation: Error, Equatable, Sendable {
        /// What stands where the length should is not a decimal number and a colon.
        case malformedLength
        /// The length is beyond ``NetstringFraming/limit``: known before the payload has come.
        case tooLong
        /// The payload is not followed by a comma.
        case missingComma
    }

    /// The longest netstring accepted, with its length, colon and comma, in bytes.
    public let limit: Int

    public init(limit: Int = FramingLimits.message) { self.limit = limit }

    /// Looks for the netstring that starts at `start`; see ``Framing``.
    public func next(in bytes: RawSpan, from start: Int = 0) throws(Violation) -> Frame? {
        var length = 0
        var offset = start
        while offset < bytes.byteCount, bytes[offset] != UInt8(ascii: ":") {
            let digit = bytes[offset]
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit), offset == start || length > 0 else {
                throw .malformedLength
            }
            let (tens, overflow) = length.multipliedReportingOverflow(by: 10)
            let (sum, carried) = tens.addingReportingOverflow(Int(digit - UInt8(ascii: "0")))
            offset += 1
            // The colon and the comma are still to come. Checked at each digit, so that a refusal does not depend on
            // what has arrived.
            if overflow || carried || sum > limit - (offset - start) - 2 { throw .tooLong }
            length = sum
        }
        if offset == bytes.byteCount { return nil }
        if offset == start { throw .malformedLength }
        if bytes.byteCount - offset < length + 2 { return nil }
        let payload = offset + 1..<offset + 1 + length
        if bytes[payload.upperBound] != UInt8(ascii: ",") { throw .missingComma }
        return Frame(payload: payload, next: payload.upperBound + 1)
    }

    public func append(_ payload: RawSpan, to output: inout ByteQueue) throws(FrameError) {
        let mark = output.count
        output.append(decimal: payload.byteCount)
        // The colon and the comma are not there yet.
        if payload.byteCount > limit - (output.count - mark) - 2 {
            output.removeLast(output.count - mark)
            throw .tooLong
        }
        output.append(":")
        output.append(payload)
        output.append(",")
    }
}
