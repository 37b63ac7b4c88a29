import ConnectionHandling
import ReactorWire

extension ProxyHeader {
    /// Reads the header that the bytes begin with, in either version.
    ///
    /// - Parameter limit: the longest header of version 2 accepted, in bytes.
    /// - Returns: the header and its length; nil if more bytes are needed.
    /// - Throws: ``ProxyViolation`` as soon as the bytes cannot become a header.
    public static func parse(
        _ bytes: RawSpan, limit: Int = ProxyLimits().headerLength
    ) throws(ProxyViolation) -> (header: ProxyHeader, length: Int)? {
        if bytes.byteCount == 0 { return nil }
        if bytes[0] == binarySignature[0] { return try parseBinary(bytes, limit: limit) }
        return try parseLine(bytes)
    }

    /// Whether the bytes are the beginning of `expected`, as far as they have come.
    static func check(_ bytes: RawSpan, beginWith expected: [UInt8]) throws(ProxyViolation) {
        for offset in 0..<min(bytes.byteCount, expected.count) where bytes[offset] != expected[offset] { throw .noHeader }
    }

    // MARK: Version 1 (section 2.1)

    private static let lineStart = Array("PROXY ".utf8)
    /// With its CRLF: no line that keeps to the grammar is longer.
    private static let longestLine = 107

    private static func parseLine(_ bytes: RawSpan) throws(ProxyViolation) -> (header: ProxyHeader, length: Int)? {
        try check(bytes, beginWith: lineStart)
        var framing = LineFraming(limit: longestLine)
        let line: Frame?
        do throws(LineFraming.Violation) { line = try framing.next(in: bytes) } catch {
            throw error == .tooLong ? .tooLong : .malformedLine
        }
        guard let line else { return nil }
        let fields = bytes.slice(line.payload).text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        // Whatever stands behind UNKNOWN is to be ignored.
        if fields.count >= 2, fields[1] == "UNKNOWN" { return (ProxyHeader(nil), line.next) }
        guard fields.count == 6, fields[1] == "TCP4" || fields[1] == "TCP6" else { throw .malformedLine }
        let address = fields[1] == "TCP4" ? ipv4 : ipv6
        let endpoints = Endpoints(
            source: try address(fields[2], try port(fields[4])), destination: try address(fields[3], try port(fields[5])))
        return (ProxyHeader(endpoints), line.next)
    }

    private static func ipv4(_ text: String, _ port: UInt16) throws(ProxyViolation) -> SocketAddress {
        // The characters first: a C function would take a NUL for the end.
        guard text.utf8.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: ".") }), let number = SocketAddress.ipv4Number(text)
        else { throw .malformedAddress }
        return .ipv4(number, port: port)
    }

    private static func ipv6(_ text: String, _ port: UInt16) throws(ProxyViolation) -> SocketAddress {
        let isAllowed = { (byte: UInt8) in
            isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20) || byte == UInt8(ascii: ":")
                || byte == UInt8(ascii: ".")
        }
        guard text.utf8.allSatisfy(isAllowed), let (high, low) = SocketAddress.ipv6Halves(text) else {
            throw .malformedAddress
        }
        return .ipv6(high: high, low: low, port: port)
    }

    private static func port(_ text: String) throws(ProxyViolation) -> UInt16 {
        guard text.utf8.allSatisfy(isDigit), text == "0" || text.utf8.first != UInt8(ascii: "0"), let port = UInt16(text)
        else { throw .malformedPort }
        return port
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
