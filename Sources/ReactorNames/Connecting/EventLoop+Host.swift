public import ConnectionHandling
public import Reactor

extension EventLoop {
    /// Connects to a host by its name: looks its addresses up, and tries them one after another, the next beside those that
    /// do not answer soon, until one is connected to (Happy Eyeballs version 2, RFC 8305). The handler is made, on this
    /// loop's thread, once the connection is there.
    ///
    /// - Parameters:
    ///   - host: a name, in any script, or a literal address: `example.com`, `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]`,
    ///     `fe80::1%eth0`.
    ///   - resolver: this loop's. It is kept until the connection is there.
    ///   - options: for each attempt. Fast Open is left out: it would call the first address connected unheard.
    ///   - onFailure: called instead of `makeHandler`, once, with what became of each address.
    /// - Returns: the connection to be, for others than its handler; it need not be kept. Closing it gives the look-up and
    ///   all attempts up.
    @discardableResult
    public func connect<Handler: ConnectionHandler & ~Copyable>(
        toHost host: String, port: ServicePort, resolver: Resolver, limits: ConnectionLimits = .default,
        options: ConnectOptions = .default, happyEyeballs: HappyEyeballsOptions = .default,
        onFailure: @escaping (ConnectByNameError) -> Void, makeHandler: @escaping () -> Handler
    ) -> LoopConnection<Handler> {
        connect(
            toHost: host, port: port, limits: limits, options: options, happyEyeballs: happyEyeballs,
            ask: { resolver.lookUp($0, $1, completion: $2).cancel }, onFailure: onFailure, makeHandler: makeHandler)
    }

    func connect<Handler: ConnectionHandler & ~Copyable>(
        toHost host: String, port: ServicePort, limits: ConnectionLimits, options: ConnectOptions,
        happyEyeballs: HappyEyeballsOptions, ask: @escaping HostConnector.Ask,
        onFailure: @escaping (ConnectByNameError) -> Void, makeHandler: @escaping () -> Handler
    ) -> LoopConnection<Handler> {
        let connection = LoopConnection<Handler>(loop: self)
        let limits = ResolvedLimits(limits)
        let connector = HostConnector(loop: self, host: host, port: port.number, options, happyEyeballs, ask: ask) { outcome in
            switch outcome {
            case .success((let number, let address)):
                connection.connected(Descriptor(owning: number), to: address, options, limits, makeHandler())
            case .failure(let error):
                connection.failed()
                onFailure(error)
            }
        }
        // Weak: the connector keeps the connection, and is itself kept by the loop.
        connection.connecting { [weak connector] in connector?.cancel() }
        return connection
    }
}
