import CReactorSystem
public import ConnectionHandling

/// A datagram socket as others than its handler hold it. It belongs to the loop's thread; the loop keeps the socket
/// going, so it need not be kept.
public final class DatagramBinding<Handler: DatagramHandler & ~Copyable> {
    /// Where it is bound, with the port that the system chose when 0 was asked for.
    public let address: SocketAddress
    /// Whom it is connected to.
    public let peer: SocketAddress?
    private weak var transport: DatagramTransport?
    private let box: TypedDatagramHandlerBox<Handler>

    init(_ transport: DatagramTransport, _ box: TypedDatagramHandlerBox<Handler>, _ address: SocketAddress, _ peer: SocketAddress?) {
        self.transport = transport
        self.box = box
        self.address = address
        self.peer = peer
    }

    /// The socket is there, and can still be used.
    public var isOpen: Bool { transport?.isEnding == false }

    /// Calls `body` with the handler and its socket, and then performs what was decided, as after any event. Nil if the
    /// socket is closed. Not from within one of the handler's own calls.
    public func withHandler<Result>(_ body: (inout Handler, inout DatagramSocket) -> Result) -> Result? {
        guard let transport, !transport.isEnding else { return nil }
        return transport.withSocket { body(&box.handler, &$0) }
    }

    /// Nil once it is closed.
    var descriptor: CInt? { transport?.descriptor }

    /// What became of its datagrams. All zero once it is closed; see ``EventLoopStatistics/datagrams``.
    public var statistics: DatagramStatistics { transport?.statistics ?? DatagramStatistics() }

    /// Datagrams that the system dropped because they came faster than the loop received them, and the socket's receive
    /// buffer was full.
    public var systemDrops: UInt64 { transport.map { UInt64(creactor_socket_drops($0.descriptor)) } ?? 0 }

    /// Joins a multicast group on one interface.
    ///
    /// - Throws: ``SystemError``: `EADDRINUSE` if it has joined already, `ENODEV` if there is no such interface.
    public func join(_ group: MulticastGroup) throws(SystemError) {
        if let transport { try DatagramDescriptor.change(group, join: true, on: transport.descriptor) }
    }

    /// - Throws: ``SystemError`` with `EADDRNOTAVAIL` if it has not joined.
    public func leave(_ group: MulticastGroup) throws(SystemError) {
        if let transport { try DatagramDescriptor.change(group, join: false, on: transport.descriptor) }
    }

    /// Ends it. Not from within one of its handler's own calls, which have the socket to close.
    public func close(_ closing: DatagramSocket.Closing = .flushing) { _ = withHandler { $1.close(closing) } }
}

extension EventLoop {
    /// Binds a datagram socket, UDP or Unix-domain, and makes its handler, on this loop's thread.
    ///
    /// - Throws: ``SystemError`` if the address cannot be bound, or an option is refused.
    @discardableResult
    public func bind<Handler: DatagramHandler & ~Copyable>(
        to address: SocketAddress, options: DatagramOptions = .default, limits: DatagramLimits = .default,
        makeHandler: () -> Handler
    ) throws(SystemError) -> DatagramBinding<Handler> {
        try start(DatagramDescriptor(address, options), options, limits, makeHandler)
    }

    /// As ``bind(to:options:limits:makeHandler:)``, with the address as text; see ``SocketAddress/init(parsing:)``.
    @discardableResult
    public func bind<Handler: DatagramHandler & ~Copyable>(
        to address: String, options: DatagramOptions = .default, limits: DatagramLimits = .default,
        makeHandler: () -> Handler
    ) throws -> DatagramBinding<Handler> {
        try bind(to: SocketAddress(parsing: address), options: options, limits: limits, makeHandler: makeHandler)
    }

    /// A datagram socket that sends to `peer`, and receives from no other. Nothing is sent by connecting: whether
    /// anybody listens is learned only from an answer, or from ``DatagramHandler/failed(_:on:)``.
    ///
    /// - Parameter local: where to bind it. By default the system chooses, for a Unix-domain socket an abstract name.
    /// - Throws: ``SystemError`` if there is no way to `peer`, or an option is refused.
    @discardableResult
    public func connectDatagrams<Handler: DatagramHandler & ~Copyable>(
        to peer: SocketAddress, from local: SocketAddress? = nil, options: DatagramOptions = .default,
        limits: DatagramLimits = .default, makeHandler: () -> Handler
    ) throws(SystemError) -> DatagramBinding<Handler> {
        try start(DatagramDescriptor(connectedTo: peer, from: local, options), options, limits, makeHandler)
    }

    /// Serves a bound datagram socket, which the loop now owns.
    package func bind(
        adopting descriptor: consuming Descriptor, options: DatagramOptions, limits: DatagramLimits, ownsPath: Bool,
        handler: DatagramHandlerBox
    ) throws(SystemError) {
        let socket = DatagramDescriptor(adopting: descriptor.release())
        try DatagramTransport(
            loop: self, socket: socket, ownsPath: ownsPath, options: options, limits: limits, handler: handler
        ).start()
    }

    private func start<Handler: DatagramHandler & ~Copyable>(
        _ socket: consuming DatagramDescriptor, _ options: DatagramOptions, _ limits: DatagramLimits,
        _ makeHandler: () -> Handler
    ) throws(SystemError) -> DatagramBinding<Handler> {
        let (address, peer) = (socket.address, socket.peer)
        let box = TypedDatagramHandlerBox(makeHandler())
        let transport = try DatagramTransport(loop: self, socket: socket, options: options, limits: limits, handler: box)
        transport.start()
        return DatagramBinding(transport, box, address, peer)
    }
}
