import Glibc
public import ReactorWire

/// Output that is sent from where it lies, descriptors, and what the transport knows beside the bytes.
extension Connection {
    // MARK: Output beside `output`

    /// Bytes that wait in memory to be written, those of ``write(_:)-(SharedBytes)`` included.
    public var queuedOutput: Int {
        guard let extras else { return output.count }
        return output.count + extras.segments.sharedCount + (extras.layer?.wire.count ?? 0)
    }

    /// All that waits lies in ``output``, and goes out as it is.
    package var isPlain: Bool { extras == nil }

    /// Anything waits to be written.
    package var hasOutput: Bool {
        if !output.isEmpty { return true }
        guard let extras else { return false }
        if !extras.segments.isEmpty { return true }
        guard let layer = extras.layer else { return false }
        return !layer.wire.isEmpty || owesFinish(layer)
    }

    /// Anything waits to be written that may be written now.
    package var hasWritableOutput: Bool {
        if let layer = extras?.layer {
            if !layer.wire.isEmpty { return true }
            if !layer.canSeal { return false }
        }
        return hasOutput && (!decisions.contains(.corked) || outputEnds)
    }

    /// Nothing will be written behind what waits.
    private var outputEnds: Bool { decisions.contains(.closing) || decisions.contains(.outputFinished) }

    /// Up to this many bytes a copy costs less than a segment does.
    private static let copiedUpTo = 4 * 1024

    /// Writes bytes that are shared with others, without a copy, behind what was written before.
    public mutating func write(_ bytes: SharedBytes) {
        if bytes.count <= Self.copiedUpTo {
            output.append(bytes.bytes)
        } else {
            appendSegment(.shared(bytes), 0..<bytes.count)
        }
    }

    /// Writes `count` bytes of a file from `offset`, behind what was written before. The kernel sends them from its own
    /// cache (sendfile(2)). The connection is backed up until they are sent. Should the file become shorter meanwhile,
    /// the connection is cut off.
    public mutating func write(_ file: OpenFile, from offset: Int = 0, count: Int) {
        precondition(offset >= 0 && count >= 0, "a file has no bytes before its first")
        if count > 0 { appendSegment(.file(file), offset..<offset + count) }
    }

    /// Writes `bytes` and passes a descriptor along with the first of them, to a peer on a Unix-domain socket
    /// (SCM_RIGHTS, unix(7)). The connection closes its copy then. Not under TLS.
    public mutating func write(_ bytes: RawSpan, passing descriptor: consuming Descriptor) {
        precondition(bytes.byteCount > 0, "a descriptor travels with a byte")
        precondition(layer == nil, "a descriptor travels beside bytes that go out as they are, not under TLS")
        appendSegment(.descriptor(PassedDescriptor(descriptor)), 0..<1)
        output.append(bytes)
    }

    /// The handler's output, without what a layer made of it.
    private var hasPlainOutput: Bool { !output.isEmpty || !(extras?.segments.isEmpty ?? true) }

    private mutating func appendSegment(_ content: OutputSegment.Content, _ range: Range<Int>) {
        needExtras().segments.append(content, range, outputCount: output.count)
    }

    package mutating func needExtras() -> ConnectionExtras {
        if let extras { return extras }
        let made = ConnectionExtras()
        extras = made
        return made
    }

    /// `count` bytes of ``output`` were sent. With segments waiting, no more than stand before the first of them.
    package mutating func outputSent(_ count: Int) {
        output.removeFirst(count)
        extras?.segments.outputSent(count)
    }

    // MARK: Corking

    /// Holds the output back, over any number of calls, until ``uncork()``, the high watermark, ``finishOutput()`` or
    /// the close, each of which takes the cork: for answers that come in many small pieces. What is written within one
    /// call needs no cork: it is sent at once.
    public mutating func cork() { decisions.insert(.corked) }
    public mutating func uncork() { decisions.remove(.corked) }

    // MARK: Another handler

    /// Gives the connection to `handler` when this call returns, for a peer that goes on in another protocol. What was
    /// written goes out first, and input that was not consumed is the other's. This handler is told that it is closed, and
    /// the other that it is connected. Deadline, pause and cork end with this one.
    ///
    /// - Precondition: nothing is awaited.
    public mutating func handOver<Handler: ConnectionHandler & ~Copyable>(to handler: consuming Handler) {
        precondition(!isAwaiting, "an awaited answer would find another handler")
        needExtras().successor = TypedHandlerBox(handler)
        decisions.insert(.handedOver)
    }

    // MARK: A layer in between

    /// From here on `layer` stands between this connection and its transport: STARTTLS, or TLS from the first byte where
    /// it is called in ``ConnectionHandler/connected(on:)``. What was written before goes out as it is; what is written
    /// from now on waits for the handshake to end. ``ConnectionHandler/secured(on:)`` says when it has.
    ///
    /// - Parameter keepingInput: whether input that has come and was not consumed is the layer's. If not, it is thrown
    ///   away, as an upgrade must with what a peer, or somebody in between, has sent in plain behind its request
    ///   (RFC 3207 section 4.2).
    public mutating func start(_ layer: ConnectionLayer, keepingInput: Bool = false) {
        precondition(self.layer == nil, "a connection has one layer")
        while hasOutput && !isClosing { layer.wire.append(takeOutput(atMost: .max)) }
        if isClosing { return }
        let extras = needExtras()
        extras.layer = layer
        extras.handshakeDeadline = clock.now.advanced(by: layer.handshakeTime)
        extras.layerKeepsInput = keepingInput
        uncork()
        decisions.insert(.layerGiven)
        layer.start()
    }

    /// What stands between this connection and its transport: TLS, or nothing.
    public var layer: ConnectionLayer? { extras?.layer }

    /// Output waits for what the peer's layer has still to say: its handshake, or the rest of a message.
    package var outputAwaitsLayer: Bool {
        guard let layer, layer.failure == nil, !layer.canSeal else { return false }
        return hasPlainOutput || owesFinish(layer)
    }

    /// The layer's last word is still to be said.
    private func owesFinish(_ layer: ConnectionLayer) -> Bool {
        outputEnds && !layer.isHandshaking && layer.failure == nil && extras?.layerFinished == false
    }

    /// How much is sealed ahead of what the transport takes.
    private static let sealedAhead = 32 * 1024

    /// Has the layer put on its wire what may be written now, or the next of it. True if there is a layer: then the wire
    /// is what to send.
    package mutating func sealOutput() -> Bool {
        guard let extras, let layer = extras.layer else { return false }
        if !layer.canSeal { return true }
        if !decisions.contains(.corked) || outputEnds {
            while layer.wire.count < Self.sealedAhead && hasPlainOutput && layer.canSeal && !decisions.contains(.aborting) {
                sealNext(layer, extras)
            }
        }
        if !hasPlainOutput && owesFinish(layer) {
            extras.layerFinished = true
            layer.finish()
        }
        return true
    }

    /// What was not sealed is not sent.
    package mutating func dropOutput() {
        output.removeAll()
        extras?.segments = OutputSegments()
    }

    private mutating func sealNext(_ layer: ConnectionLayer, _ extras: ConnectionExtras) {
        let plain = extras.segments.isEmpty ? output.count : extras.segments[0].preceding
        if plain > 0 {
            let count = min(plain, Self.sealedAhead)
            layer.seal(output.bytes.extracting(first: count))
            return outputSent(count)
        }
        let segment = extras.segments[0]
        let range = segment.range.prefix(Self.sealedAhead)
        switch segment.content {
        case .shared(let bytes): layer.seal(bytes.bytes.extracting(range))
        case .file(let file): if !file.read(range, { layer.seal($0) }) { return close(.aborting) }
        case .descriptor, .sent: break
        }
        extras.segments.firstSent(range.count)
    }

    // MARK: The transport

    /// This end's address. Behind a proxy that says so, the one that its client connected to.
    public var localAddress: SocketAddress {
        if let known = extras?.localAddress { return known }
        return SocketAddress.local(of: descriptor) ?? .unix(path: "")
    }

    /// Who is at the other end of a Unix-domain connection, as the kernel recorded it when the connection was made.
    /// Nil for other connections.
    public var peerCredentials: PeerCredentials? { PeerCredentials(of: descriptor) }

    /// The next descriptor that the peer has passed; nil if none waits. Needs ``ConnectionLimits/maxReceivedDescriptors``.
    public mutating func takeDescriptor() -> Descriptor? {
        guard let extras, !extras.received.isEmpty else { return nil }
        return extras.received.removeFirst().descriptor.take()
    }
}

/// A process at the other end of a Unix-domain socket (SO_PEERCRED, unix(7)).
public struct PeerCredentials: Equatable, Sendable {
    public let processID: Int32
    public let userID: UInt32
    public let groupID: UInt32

    init?(of descriptor: CInt) {
        // struct ucred, which the system's headers show only to GNU sources.
        var credentials: (pid: Int32, uid: UInt32, gid: UInt32) = (0, 0, 0)
        var length = socklen_t(MemoryLayout.size(ofValue: credentials))
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0, credentials.pid != 0 else { return nil }
        (processID, userID, groupID) = credentials
    }
}
