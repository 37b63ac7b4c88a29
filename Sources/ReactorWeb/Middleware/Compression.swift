import ReactorContentCodings
public import ReactorHTTP
import ReactorWire

/// Encodes the bodies of answers, with the coding that the client wants most (RFC 9110 section 8.4).
///
/// Left as they are: answers with a Content-Encoding of their own or `no-transform`, parts of a representation (206), and
/// what ``CompressionOptions`` rules out. An encoded answer has `Vary: Accept-Encoding`, and a strong entity tag becomes
/// weak. A body of unknown length is flushed with each write, so that nobody waits for what was said.
///
/// Where an answer has both a secret and something that an attacker chose, its length tells about the secret (BREACH):
/// keep such answers out by their route.
public struct Compression: HTTPMiddleware {
    private let settings: CompressionSettings

    public init(_ options: CompressionOptions = CompressionOptions()) { settings = CompressionSettings(options) }

    public func received(_ request: borrowing RequestView, with response: inout ResponseWriter) {
        // Who names no coding is answered as if this were not here.
        guard request.field("accept-encoding") != nil else { return }
        response.encoder = CompressionEncoder(settings, settings.preferred(by: request))
    }
}

/// What all answers share.
final class CompressionSettings: Sendable {
    let options: CompressionOptions
    /// In lower case.
    private let mediaTypes: [[UInt8]]

    init(_ options: CompressionOptions) {
        self.options = options
        mediaTypes = options.mediaTypes.map { Array($0.lowercased().utf8) }
    }

    /// The coding that the client wants most, the first among equals; nil if it wants none more than none.
    func preferred(by request: borrowing RequestView) -> ContentCoding? {
        var best: ContentCoding?
        var weight = request.acceptsEncoding("identity") - 1
        for coding in options.codings {
            let wanted = request.acceptsEncoding(coding.name)
            if wanted > weight && wanted > 0 {
                best = coding
                weight = wanted
            }
        }
        return best
    }

    /// A media type, with or without parameters, is worth it.
    func isListed(_ type: RawSpan) -> Bool {
        var end = 0
        while end < type.byteCount, type[end] != UInt8(ascii: ";"), type[end] != UInt8(ascii: " ") { end += 1 }
        let essence = type.slice(0..<end)
        for pattern in mediaTypes where Self.fits(essence, pattern.span.bytes) { return true }
        return false
    }

    private static func fits(_ type: RawSpan, _ pattern: RawSpan) -> Bool {
        let count = pattern.byteCount
        if count > 1, pattern[count - 1] == UInt8(ascii: "*") {
            return type.byteCount >= count - 1 && isSame(type.slice(0..<count - 1), pattern.slice(0..<count - 1))
        }
        if count > 1, pattern[0] == UInt8(ascii: "*") {
            return type.byteCount >= count - 1
                && isSame(type.slice(type.byteCount - count + 1..<type.byteCount), pattern.slice(1..<count))
        }
        return isSame(type, pattern)
    }

    private static func isSame(_ text: RawSpan, _ lowercase: RawSpan) -> Bool {
        guard text.byteCount == lowercase.byteCount else { return false }
        for index in 0..<text.byteCount {
            let byte = text[index]
            if (byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte) != lowercase[index] { return false }
        }
        return true
    }
}
