public import Logging
import Reactor

extension DeliveryAgent {
    /// Delivers on a loop of its own until `stopDescriptor` is readable, then lets deliveries under way finish, for
    /// `grace` at most. Blocks the calling thread: for a thread or process that does nothing else.
    ///
    /// - Throws: ``SpoolError`` if the spool has an agent already, `SystemError` if no loop can be made.
    public static func run(
        spool: Spool, nextHop: NextHop, hostname: String, until stopDescriptor: CInt, grace: Duration = .seconds(10),
        limits: DeliveryLimits = DeliveryLimits(), logger: Logger = Logger(label: "reactor.smtp.delivery")
    ) throws {
        let loop = try EventLoop()
        defer { loop.close() }
        let agent = try DeliveryAgent(
            spool: spool, nextHop: nextHop, hostname: hostname, loop: loop, limits: limits, logger: logger)
        agent.start()
        var stop: Watcher?
        stop = loop.onReadable(stopDescriptor) { [unowned loop] in
            stop?.cancel()
            agent.stop()
            loop.shutDown(within: grace)
        }
        loop.run()
    }
}
