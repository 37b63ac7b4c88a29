public import ReactorWire

/// Stands between a connection's handler and its transport, as TLS does: what came off the wire goes in and the handler's
/// input comes out; the handler's output goes in and what belongs on the wire comes out. Like a handler it performs
/// nothing, so the same layer serves under every driver. A connection has one at most; see
/// ``Connection/start(_:keepingInput:)``.
open class ConnectionLayer {
    /// What is to go on the wire, in order: the driver sends it from the front.
    public final var wire = ByteQueue()
    /// Until the peers have agreed, no output is sealed and the handler hears nothing.
    public final var isHandshaking = true
    /// Behind the handshake: a message between the layers has come in part, and no output is sealed until it is whole. The
    /// rest may take as long as a handshake, and is read whatever the handler is held up by.
    public final var isMidMessage = false
    /// The peer has said that no more will come (close_notify, RFC 8446 section 6.1).
    public final var inputEnded = false
    /// The connection is over: what is on ``wire`` is still sent, an alert perhaps, and nothing else happens.
    public final var failure: TLSFailure?
    /// How long the handshake may take.
    public final let handshakeTime: Duration

    public init(handshakeTime: Duration) { self.handshakeTime = handshakeTime }

    /// The layer begins. Whoever speaks first puts it on ``wire``. Default: nothing.
    open func start() {}

    /// Bytes came off the wire: all of them are taken, what they held for the handler is appended to `input`, and what they
    /// ask for is put on ``wire``. May change every property above.
    open func receive(_ bytes: RawSpan, into input: inout ByteQueue) { input.append(bytes) }

    /// The transport has ended. Not called after a failure. Default: a failure, unless the peer had said so before.
    open func transportEnded() {
        if inputEnded { return }
        failure = TLSFailure(isHandshaking ? .handshakeCutOff : .truncated)
    }

    /// Puts output of the handler on ``wire``. Called only once the handshake is over, and not in the middle of a message.
    open func seal(_ output: RawSpan) { wire.append(output) }

    /// Puts the word that no more will come on ``wire``. Called once, after everything was sealed.
    open func finish() {}

    final var canSeal: Bool { !isHandshaking && !isMidMessage && failure == nil }
}
