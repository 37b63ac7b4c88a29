public import ConnectionHandling
public import ReactorWire

/// A layer simple enough to read on the wire. The handshake is the peer's `H`, answered with `h`; then each byte of data is
/// `d` and the byte with its case flipped; `n` is nothing, `m` begins a message of the layer's own that ends with `.`,
/// `f` says that no more will come, `x` is an alert, and anything else a violation, answered with `x`.
public final class ToyLayer: ConnectionLayer {
    private let greets: Bool
    private var half = false
    /// Times that it was given bytes in its handshake.
    public private(set) var handshakeReads = 0

    public init(greets: Bool = false, handshakeTime: Duration = .seconds(10)) {
        self.greets = greets
        super.init(handshakeTime: handshakeTime)
    }

    public override func start() { if greets { wire.append("H") } }

    public override func receive(_ bytes: RawSpan, into input: inout ByteQueue) {
        if isHandshaking { handshakeReads += 1 }
        for index in 0..<bytes.byteCount where failure == nil && !inputEnded {
            take(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self), &input)
        }
    }

    private func take(_ byte: UInt8, _ input: inout ByteQueue) {
        if half {
            half = false
            return input.append(byte ^ 0x20)
        }
        if isMidMessage {
            isMidMessage = byte != UInt8(ascii: ".")
            return
        }
        switch (isHandshaking, byte) {
        case (true, UInt8(ascii: "H")) where !greets:
            wire.append("h")
            isHandshaking = false
        case (true, UInt8(ascii: "h")) where greets: isHandshaking = false
        case (false, UInt8(ascii: "d")): half = true
        case (_, UInt8(ascii: "n")): break
        case (false, UInt8(ascii: "m")): isMidMessage = true
        case (false, UInt8(ascii: "f")): inputEnded = true
        case (_, UInt8(ascii: "x")): failure = TLSFailure(.alert(40))
        default:
            wire.append("x")
            failure = TLSFailure(.violation)
        }
    }

    public override func seal(_ output: RawSpan) {
        precondition(!isHandshaking && !isMidMessage && failure == nil, "not to be asked now")
        for index in 0..<output.byteCount {
            wire.append("d")
            wire.append(output.unsafeLoad(fromByteOffset: index, as: UInt8.self) ^ 0x20)
        }
    }

    public override func finish() {
        precondition(!isHandshaking && !isMidMessage && failure == nil, "not to be asked now")
        wire.append("f")
    }

    /// What data looks like on the wire.
    public static func sealed(_ text: String) -> [UInt8] { text.utf8.flatMap { [UInt8(ascii: "d"), $0 ^ 0x20] } }
}
