public import ConnectionHandling
public import Reactor

/// The datagram side of an ``Endpoint``.
struct DatagramEndpoint: Sendable {
    let address: SocketAddress
    let options: DatagramOptions
    let limits: DatagramLimits
    let makeHandler: @Sendable () -> DatagramHandlerBox
}

extension Endpoint {
    /// An address to receive datagrams on, UDP or Unix-domain.
    ///
    /// The kernel, not the server, shares out datagrams: each loop of a reactor has a socket of its own, to which the
    /// kernel sends the same peers; the workers of `thread-pool` and `prefork` receive from one socket, a batch each.
    /// The other architectures have one receiver.
    ///
    /// - Parameter makeHandler: called once for each receiver, on the thread or in the process that receives.
    public init<Handler: DatagramHandler & ~Copyable>(
        datagrams address: SocketAddress, options: DatagramOptions = .default, limits: DatagramLimits = .default,
        makeHandler: @escaping @Sendable () -> Handler
    ) {
        limits.check()
        self.init(
            DatagramEndpoint(
                address: address, options: options, limits: limits,
                makeHandler: { TypedDatagramHandlerBox(makeHandler()) }))
    }
}
