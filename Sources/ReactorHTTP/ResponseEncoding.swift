package import ReactorWire

/// Passes the body of an answer through a content coding, if the answer is one for it.
package protocol ResponseBodyEncoder: AnyObject {
    /// The fields of the answer are complete.
    ///
    /// - Returns: the coding's name, as Content-Encoding is to have it; nil to leave the answer as it is.
    func coding(for answer: borrowing HeldAnswer) -> StaticString?
    /// Asked after ``coding(for:)`` has returned nil: another client would have got this answer encoded, so that caches
    /// must be told (RFC 9110 section 12.5.5).
    var variesByEncoding: Bool { get }
    /// Something went wrong in ``encode(_:into:)`` or ``finish(into:)``: the answer cannot be completed, and is cut off.
    var hasFailed: Bool { get }
    /// Appends what can be said of the body so far.
    func encode(_ bytes: RawSpan, into output: inout ByteQueue)
    /// Appends the rest.
    func finish(into output: inout ByteQueue)
}

extension ResponseBodyEncoder {
    package var variesByEncoding: Bool { false }
    package var hasFailed: Bool { false }
}

/// An answer whose fields are held back.
package struct HeldAnswer: ~Escapable {
    package let status: HTTPStatus
    /// Of the body; nil if it is not known.
    package let length: Int?
    private let lines: RawSpan

    @_lifetime(copy lines)
    init(status: HTTPStatus, length: Int?, lines: RawSpan) {
        self.status = status
        self.length = length
        self.lines = lines
    }

    /// The value of the first field of that name; `lowercaseName` must be written in lower case.
    @_lifetime(copy self)
    package func field(_ lowercaseName: StaticString) -> RawSpan? {
        let nameLength = lowercaseName.utf8CodeUnitCount
        var start = 0
        while start < lines.byteCount {
            let end = lines.firstIndex(of: UInt8(ascii: "\r"), from: start) ?? lines.byteCount
            if end - start >= nameLength + 2, lines[start + nameLength] == UInt8(ascii: ":"),
                lines.slice(start..<start + nameLength).equalsIgnoringCase(lowercaseName)
            {
                return lines.slice(start + nameLength + 2..<end)
            }
            start = end + 2
        }
        return nil
    }
}

/// One answer on its way through an encoder, or waiting to be shown to it.
final class ResponseEncoding {
    let encoder: any ResponseBodyEncoder
    /// Field lines, each `name: value` with its CRLF.
    var fields = ByteQueue()
    /// The encoder has accepted the answer.
    private(set) var isEncoding = false

    init(_ encoder: any ResponseBodyEncoder) { self.encoder = encoder }

    /// Shows the answer to the encoder, and releases its fields to `output`.
    func releaseFields(status: HTTPStatus, length: Int?, to output: inout ByteQueue) {
        var lines = ByteQueue()
        swap(&lines, &fields)
        guard !status.forbidsBody,
            let coding = encoder.coding(for: HeldAnswer(status: status, length: length, lines: lines.bytes))
        else {
            output.append(lines.bytes)
            if !status.forbidsBody && encoder.variesByEncoding { Self.appendVary(to: &output, behind: lines.bytes) }
            return
        }
        isEncoding = true
        Self.append(lines.bytes, to: &output)
        output.append("Content-Encoding: ")
        output.append(coding)
        output.append("\r\n")
        Self.appendVary(to: &output, behind: lines.bytes)
    }

    /// Once is enough: a file with variants of its own says it already.
    private static func appendVary(to output: inout ByteQueue, behind lines: RawSpan) {
        var isSaid = false
        forEachLine(of: lines, named: "vary") { field in
            forEachElement(of: field) { if $0.equals("*") || $0.equalsIgnoringCase("accept-encoding") { isSaid = true } }
        }
        if !isSaid { output.append("Vary: Accept-Encoding\r\n") }
    }

    /// An encoded answer is another representation: not byte for byte what a strong entity tag stands for
    /// (RFC 9110 section 8.8.1).
    private static func append(_ lines: RawSpan, to output: inout ByteQueue) {
        var start = 0
        while start < lines.byteCount {
            let end = (lines.firstIndex(of: UInt8(ascii: "\n"), from: start) ?? lines.byteCount - 1) + 1
            let line = lines.slice(start..<end)
            if line.byteCount > 6, line.slice(0..<6).equalsIgnoringCase("etag: "), line[6] == UInt8(ascii: "\"") {
                output.append("ETag: W/")
                output.append(line.slice(6..<line.byteCount))
            } else if line.byteCount > 15, line.slice(0..<15).equalsIgnoringCase("accept-ranges: ") {
                // The ranges that were meant are those of other bytes.
            } else {
                output.append(line)
            }
            start = end
        }
    }

    /// What `bytes` become; the rest as well if they are the last. Nil if the encoder has failed.
    func encoded(_ bytes: RawSpan, isLast: Bool) -> ByteQueue? {
        var output = ByteQueue()
        if bytes.byteCount > 0 { encoder.encode(bytes, into: &output) }
        if isLast && !encoder.hasFailed { encoder.finish(into: &output) }
        if encoder.hasFailed { return nil }
        return output
    }
}
