import ConnectionHandling
import Glibc
import ReactorWire

/// Messages that must come back as they were sent (RFC 862); each byte is compared.
final class EchoDialogue: Dialogue {
    private let pattern: EchoPattern
    /// Where in the pattern the next message to send stands, and the one that is coming back.
    @exclusivity(unchecked) private var sending = 0
    @exclusivity(unchecked) private var receiving = 0
    /// How much of it is back.
    @exclusivity(unchecked) private var matched = 0

    init(_ pattern: EchoPattern) { self.pattern = pattern }

    override func begin(on connection: inout Connection) { (sending, receiving, matched) = (0, 0, 0) }

    override func write(on connection: inout Connection) {
        let text = pattern.bytes
        let all = text.bytes
        connection.write(all.slice(sending..<sending + pattern.size))
        sending = EchoPattern.next(sending)
    }

    override func read(_ bytes: RawSpan, from offset: inout Int, on connection: inout Connection) -> Step {
        let count = min(bytes.byteCount - offset, pattern.size - matched)
        let place = receiving + matched
        let text = pattern.bytes
        let all = text.bytes
        guard same(bytes.slice(offset..<offset + count), all.slice(place..<place + count)) else {
            complaint = "other bytes than were sent"
            return .broken
        }
        offset += count
        matched += count
        if matched < pattern.size { return .incomplete }
        matched = 0
        receiving = EchoPattern.next(receiving)
        return .answered
    }
}

private func same(_ left: RawSpan, _ right: RawSpan) -> Bool {
    left.withUnsafeBytes { left in
        right.withUnsafeBytes { right in
            guard let first = left.baseAddress, let second = right.baseAddress else { return left.count == right.count }
            return memcmp(first, second, left.count) == 0
        }
    }
}

/// Bytes at random. Messages are windows on them that move, so that neighbours differ and none has to be made.
final class EchoPattern {
    static let defaultSize = 64
    private static let windows = 251

    let size: Int
    let bytes: SharedBytes

    init(size: Int) {
        self.size = size
        var random = SplitMix(state: 862)
        let all = (0..<size + Self.windows).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        bytes = SharedBytes(copying: all.span.bytes)
    }

    static func next(_ window: Int) -> Int { (window + 7) % windows }
}
