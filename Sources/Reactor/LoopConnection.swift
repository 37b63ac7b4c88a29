public import ConnectionHandling

/// A connection as others than its handler hold it: to give the handler something to do, or to close it. It belongs to
/// the loop's thread, and neither keeps the connection open nor is harmed when it closes.
public final class LoopConnection<Handler: ConnectionHandler & ~Copyable> {
    /// Weak: whoever keeps a connection need not know when its loop goes.
    private weak var loop: EventLoop?
    private enum State {
        /// What gives up the making of it.
        case connecting((() -> Void)?)
        case open(LoopIdentity)
        case closed
    }
    private var state = State.connecting(nil)
    /// Weak: the open connection keeps its handler, which may keep this object, to take it off a list when it closes.
    private weak var box: TypedHandlerBox<Handler>?

    package init(loop: EventLoop) { self.loop = loop }

    /// The connection is there, and can still be used.
    public var isOpen: Bool { stream != nil }

    /// Calls `body` with the handler and its connection, and then performs what was decided, as after any event. Nil if
    /// the connection is not open.
    ///
    /// Not from within one of the handler's own calls: what a handler does with itself needs no detour.
    public func withHandler<Result>(_ body: (inout Handler, inout Connection) -> Result) -> Result? {
        guard let box, let stream, !stream.isEnding else { return nil }
        return stream.withHandler(in: box, body)
    }

    /// One of the handler's own calls is under way: ``withHandler(_:)`` must wait.
    public var isInCall: Bool { stream?.isInTurn ?? false }

    /// Ends the connection, or the attempt to make it.
    public func close(_ closing: Connection.Closing = .flushing) {
        if case .connecting(let giveUp) = state {
            state = .closed
            giveUp?()
        }
        _ = withHandler { $1.close(closing) }
    }

    // MARK: For the loop

    var isClosed: Bool { if case .closed = state { true } else { false } }

    /// - Parameter giveUp: called if the connection is closed before it is there.
    package func connecting(_ giveUp: @escaping () -> Void) { state = .connecting(giveUp) }
    package func failed() { state = .closed }
    func open(_ stream: StreamConnection, _ box: TypedHandlerBox<Handler>) {
        // Closed before it was there, by whoever made its handler.
        if isClosed { stream.closesAtStart() }
        state = .open(stream.identity)
        self.box = box
    }

    func serve(
        _ descriptor: consuming Descriptor, peer: SocketAddress, limits: ResolvedLimits, _ box: TypedHandlerBox<Handler>
    ) {
        guard let loop else { return }
        let stream = StreamConnection(loop: loop, fd: descriptor.release(), peer: peer, handler: box, limits: limits)
        open(stream, box)
        stream.start()
    }

    private var stream: StreamConnection? {
        guard case .open(let identity) = state else { return nil }
        return loop?.owned(identity) as? StreamConnection
    }
}
