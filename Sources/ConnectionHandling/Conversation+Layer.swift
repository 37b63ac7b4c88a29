import ReactorWire

/// What a connection's layer adds to the rules: a handshake, messages of its own, failures.
extension Conversation {
    /// A handshake goes on whatever the handler is held up by: its output may wait for it.
    package var isHandshaking: Bool {
        guard let layer = connection.layer else { return false }
        return layer.isHandshaking && layer.failure == nil
    }

    /// As does a message of the layer's, up to what a handler may leave: it may come in the company of input.
    var isMidMessage: Bool {
        guard let layer = connection.layer, layer.isMidMessage, layer.failure == nil else { return false }
        return tailCount <= connection.limits.values.maxUnconsumedInput
    }

    /// Bytes came off the wire of a layer: what they hold is offered, and what the layer has become is acted on.
    mutating func open(_ bytes: RawSpan, _ layer: ConnectionLayer) {
        if layer.failure != nil || layer.inputEnded { return }
        let wasHandshaking = layer.isHandshaking
        var input = ByteQueue()
        layer.receive(bytes, into: &input)
        // A peer that only keeps the layer busy is idle.
        if wasHandshaking || !input.isEmpty { lastActivity = connection.clock.now }
        limitTime(of: layer)
        if wasHandshaking && !layer.isHandshaking && !connection.isClosing { handler.secured(on: &connection) }
        if !input.isEmpty && !connection.isClosing { deliver(input.bytes) }
        if layer.inputEnded { inputEnds() }
    }

    /// The handshake's time ends with it; a message that was begun has as long, from then.
    private mutating func limitTime(of layer: ConnectionLayer) {
        guard let extras = connection.extras, !layer.isHandshaking else { return }
        if !layer.isMidMessage {
            extras.handshakeDeadline = .distantFuture
        } else if extras.handshakeDeadline == .distantFuture {
            extras.handshakeDeadline = connection.clock.now.advanced(by: layer.handshakeTime)
        }
    }

    /// What was left over when a layer began is its own, or is thrown away.
    mutating func giveInputToLayer() {
        connection.decisions.remove(.layerGiven)
        flags.remove(.held)
        guard let pending else { return }
        self.pending = nil
        guard let extras = connection.extras, extras.layerKeepsInput, let layer = extras.layer else { return }
        open(pending.tail.bytes, layer)
    }

    /// A layer may fail by what came, and as it begins or seals.
    mutating func noticeFailure() { if let failure = connection.layer?.failure { fail(failure) } }

    /// What the layer has put on its wire still goes out, and nothing else: the peer may wait for an alert that says why.
    mutating func fail(_ failure: TLSFailure) {
        guard let extras = connection.extras, extras.failure == nil else { return }
        extras.failure = failure
        extras.layer?.failure = failure
        connection.extras?.handshakeDeadline = .distantFuture
        connection.dropOutput()
        connection.close(.lingering)
    }
}
