/// The framing of several ranges in one body, `multipart/byteranges` (RFC 9110 section 14.6).
public struct MultipartRanges: Sendable {
    public let ranges: [Range<Int>]
    /// Of the whole representation.
    public let length: Int
    private let contentType: String
    private let boundary: String

    /// - Parameters:
    ///   - contentType: of the representation.
    ///   - nonce: what the boundary is made of: a number that nobody could guess when the content was written.
    public init(_ ranges: [Range<Int>], length: Int, contentType: String, nonce: UInt64 = .random(in: 0 ... .max)) {
        self.ranges = ranges
        self.length = length
        self.contentType = contentType
        let digits = String(nonce, radix: 16)
        boundary = String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// What the answer's Content-Type says.
    public var mediaType: String { "multipart/byteranges; boundary=\(boundary)" }

    /// What stands before the bytes of a range.
    public func partHead(_ index: Int) -> String {
        let range = ranges[index]
        return (index == 0 ? "" : "\r\n") + "--\(boundary)\r\nContent-Type: \(contentType)\r\n"
            + "Content-Range: bytes \(range.lowerBound)-\(range.upperBound - 1)/\(length)\r\n\r\n"
    }

    /// What stands behind the last.
    public var end: String { "\r\n--\(boundary)--\r\n" }

    /// Of the whole body.
    public var contentLength: Int {
        var count = end.utf8.count
        for index in ranges.indices { count += partHead(index).utf8.count + ranges[index].count }
        return count
    }
}
