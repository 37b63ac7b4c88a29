import ReactorSMTP

/// What a notice returns of the message it is about: all of it, or its header (RFC 3461 section 4.3, RFC 6522 section 3).
struct ReturnedContent {
    private(set) var bytes: [UInt8] = []
    private let isWhole: Bool
    let has8Bit: Bool

    /// Headers are returned up to here: longer ones were not written by people.
    static let largestHeader = 16 * 1024

    /// - Parameter asksForAll: whether `RET=FULL` counts, which it does for failures alone.
    init(_ message: OutgoingMessage, asksForAll: Bool, limit: Int) {
        // What is BINARYMIME needs an encoding, and RFC 2046 section 5.2.1 allows message/rfc822 none.
        isWhole =
            asksForAll && message.envelope.returnContent != .headers && message.content.size <= limit
            && message.envelope.body != .binaryMIME
        do {
            try message.content.read(from: 0, upTo: isWhole ? limit : Self.largestHeader, into: &bytes)
        } catch {
            bytes = Array("X-Reactor-Error: the content cannot be read\r\n".utf8)
        }
        if !isWhole { bytes = Self.header(of: bytes) }
        has8Bit = bytes.contains { $0 > 127 }
    }

    /// Whole lines up to the first empty one. What is BINARYMIME may end them otherwise; no server takes a notice with a bare
    /// CR or LF, or a NUL, in it.
    private static func header(of bytes: [UInt8]) -> [UInt8] {
        var header: [UInt8] = []
        var start = 0
        while let lineFeed = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            var line = bytes[start..<lineFeed]
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if line.isEmpty { break }
            header += line.map { $0 == UInt8(ascii: "\r") || $0 == 0 ? UInt8(ascii: "?") : $0 }
            header += [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
            start = lineFeed + 1
        }
        return header
    }

    /// The fields of its part, and the line that begins it.
    func header(_ boundary: String, _ isInternational: Bool) -> String {
        let type =
            switch (isWhole, isInternational) {
            case (true, false): "message/rfc822"
            case (false, false): "text/rfc822-headers"
            case (true, true): "message/global"
            case (false, true): "message/global-headers"
            }
        let encoding = has8Bit || isInternational ? "Content-Transfer-Encoding: 8bit\r\n" : ""
        return "--\(boundary)\r\nContent-Type: \(type)\r\n\(encoding)\r\n"
    }
}
