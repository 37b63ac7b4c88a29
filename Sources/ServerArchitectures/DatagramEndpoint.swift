public import ConnectionHandling
public import Reactor

/// The datagram side of an ``Endpoint``.
struct DatagramEndpoint: Sendable {
    let address: SocketAddress
    /// A socket that is bound already.
    let adopted: CInt?
    let options: DatagramOptions
    let limits: DatagramLimits
    let makeHandler: @Sendable () -> DatagramHandlerBox

    /// The address belongs to whoever handed the socket over.
    var isAdopted: Bool { adopted != nil }

    func open(count: Int) throws(SystemError) -> [CInt] {
        guard let adopted else { return try DatagramDescriptor.sharing(address, options, count: count) }
        try DatagramDescriptor.prepare(adopted: adopted, options)
        return [adopted]
    }
}

extension Endpoint {
    /// An address to receive datagrams on, UDP or Unix-domain.
    ///
    /// The kernel, not the server, shares out datagrams: each loop of a reactor has a socket of its own, to which the
    /// kernel sends the same peers, while the first loop alone hears the groups in ``DatagramOptions/groups``, and each loop
    /// what is sent by broadcast; the workers of `thread-pool` and `prefork` receive from one socket, a batch each.
    /// The other architectures have one receiver.
    ///
    /// - Parameter makeHandler: called once for each receiver, on the thread or in the process that receives.
    public init<Handler: DatagramHandler & ~Copyable>(
        datagrams address: SocketAddress, options: DatagramOptions = .default, limits: DatagramLimits = .default,
        makeHandler: @escaping @Sendable () -> Handler
    ) {
        self.init(address, nil, options, limits, makeHandler)
    }

    /// Serves a datagram socket that is bound already, such as one that a service manager handed over (see
    /// ``ActivatedSocket``). The server owns the descriptor once it is made. One receiver in each process has it.
    public init<Handler: DatagramHandler & ~Copyable>(
        adoptingDatagrams descriptor: CInt, options: DatagramOptions = .default, limits: DatagramLimits = .default,
        makeHandler: @escaping @Sendable () -> Handler
    ) {
        let address = SocketAddress.local(of: descriptor) ?? .unix(path: "")
        self.init(address, descriptor, options, limits, makeHandler)
    }

    private init<Handler: DatagramHandler & ~Copyable>(
        _ address: SocketAddress, _ adopted: CInt?, _ options: DatagramOptions, _ limits: DatagramLimits,
        _ makeHandler: @escaping @Sendable () -> Handler
    ) {
        limits.check()
        self.init(
            DatagramEndpoint(
                address: address, adopted: adopted, options: options, limits: limits,
                makeHandler: { TypedDatagramHandlerBox(makeHandler()) }))
    }
}
