public import ConnectionHandling
public import Reactor
public import ServerArchitectures

extension BlockingClient where Handler: ~Copyable {
    /// Connects to a host by its name, and tells the handler; see
    /// ``EventLoop/connect(toHost:port:resolver:limits:options:happyEyeballs:onFailure:makeHandler:)``. Several addresses may
    /// be tried at once, on the calling thread. Blocks for ``HappyEyeballsOptions/timeout`` at most.
    ///
    /// - Parameter resolver: the calling thread's, for the next connection as well: it keeps answers.
    /// - Throws: ``ConnectByNameError``, with what became of each address.
    public init(
        connectingToHost host: String, port: ServicePort, resolver: BlockingResolver, limits: ConnectionLimits = .default,
        options: ConnectOptions = .default, happyEyeballs: HappyEyeballsOptions = .default, makeHandler: () -> Handler
    ) throws(ConnectByNameError) {
        let connector = BlockingHostConnector(host: host, port: port.number, resolver: resolver, options, happyEyeballs)
        let (number, address) = try connector.connect()
        self.init(connected: Descriptor(owning: number), to: address, limits: limits, makeHandler())
    }
}
