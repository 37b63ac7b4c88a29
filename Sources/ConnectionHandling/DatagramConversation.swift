/// The rules of the datagram contract, once for every driver, as ``Conversation`` has them for connections. It performs
/// nothing: a driver reports what happened, then carries out what ``socket`` and the properties below say.
package struct DatagramConversation: ~Copyable {
    package var socket: DatagramSocket
    private let handler: DatagramHandlerBox
    private var isOver = false

    package init(
        handler: DatagramHandlerBox, localAddress: SocketAddress, peer: SocketAddress? = nil, clock: DriverClock,
        limits: DatagramLimits
    ) {
        socket = DatagramSocket(localAddress: localAddress, peer: peer, clock: clock, limits: limits)
        self.handler = handler
    }

    // MARK: What happened

    package mutating func start() { handler.bound(on: &socket) }

    /// A message was received, of which `bytes` are there. Where the system has joined datagrams of one sender
    /// (UDP_GRO), each has `segment` bytes, and only the last may be shorter; the handler sees them apart.
    package mutating func receive(_ bytes: RawSpan, segment: Int = 0, from origin: inout DatagramOrigin) {
        if segment <= 0 || segment >= bytes.byteCount { return deliver(bytes, from: &origin) }
        var start = 0
        while start < bytes.byteCount {
            let end = min(start + segment, bytes.byteCount)
            origin.fullLength = end - start
            deliver(bytes.extracting(start..<end), from: &origin)
            start = end
        }
    }

    private mutating func deliver(_ bytes: RawSpan, from origin: inout DatagramOrigin) {
        if socket.isClosing { return }
        let payload = bytes.extracting(first: socket.limits.maxPayload)
        origin.isTruncated = origin.fullLength > payload.byteCount
        socket.statistics.received &+= 1
        socket.statistics.receivedBytes &+= UInt64(payload.byteCount)
        if origin.isTruncated { socket.statistics.truncated &+= 1 }
        handler.received(payload, from: origin, on: &socket)
    }

    package mutating func fail(_ failure: DatagramFailure) {
        socket.statistics.errors &+= 1
        if !socket.isClosing { handler.failed(failure, on: &socket) }
    }

    /// The first `count` datagrams of the queue were taken by the system.
    package mutating func sent(_ count: Int) {
        let bytes = socket.queue.removeFirst(count)
        socket.statistics.sent &+= UInt64(count)
        socket.statistics.sentBytes &+= UInt64(bytes)
    }

    /// The system refuses the first datagram of the queue, for good.
    package mutating func refused(errno: Int32) {
        let destination = socket.queue.firstDestination?.unmapped ?? socket.peer
        socket.queue.removeFirst(1)
        fail(DatagramFailure(errno: errno, destination: destination))
    }

    /// The system takes no more of the queue for now.
    package mutating func backUp() { socket.decisions.insert(.backedUp) }

    /// The queue is empty. Calls the handler back if it was backed up: then there may be more to send.
    package mutating func drain() {
        guard socket.isBackedUp, socket.queue.isEmpty else { return }
        socket.decisions.remove(.backedUp)
        if !socket.isClosing { handler.drained(on: &socket) }
    }

    package mutating func answer() {
        socket.noteAnswer()
        if !socket.isClosing { handler.answered(on: &socket) }
    }

    /// The moment given by ``deadline`` has come.
    package mutating func expire() {
        guard !socket.isClosing, socket.deadline <= socket.clock.now else { return }
        socket.clearDeadline()
        handler.deadlineExpired(on: &socket)
    }

    /// The server is stopping.
    package mutating func stop() {
        if socket.isClosing || socket.isStopping { return }
        socket.decisions.insert(.stopping)
        handler.stopping(on: &socket)
    }

    package mutating func close(_ reason: CloseReason) {
        if isOver { return }
        isOver = true
        socket.statistics.dropped &+= UInt64(socket.queue.count)
        socket.queue.removeAll()
        handler.closed(reason)
    }

    // MARK: What to do next

    /// Whether the driver should receive.
    package var wantsInput: Bool {
        !socket.isClosing && !socket.isBackedUp && socket.awaited < socket.limits.maxAwaited
    }

    /// When to call ``expire()``, and to look at the ``outcome``.
    package var deadline: MonotonicTime { socket.isClosing ? socket.closesBy : socket.deadline }

    /// So much waits that the driver should send before it delivers more.
    package var hasBatch: Bool { socket.queue.count >= socket.limits.batch }

    /// Why the socket is over, if it is: the handler has closed it, and nothing waits, or has waited too long.
    package var outcome: CloseReason? {
        if socket.decisions.contains(.aborting) { return .aborted }
        if !socket.isClosing { return nil }
        if socket.queue.isEmpty { return .finished }
        return socket.closesBy <= socket.clock.now ? .writeStalled : nil
    }
}
