public import Logging
import Reactor
public import ReactorSMTP

extension DeliveryAgent {
    /// Delivers on a loop of its own until `stopDescriptor` is readable, then lets deliveries under way finish, for
    /// `grace` at most, and their outcomes be written down. Blocks the calling thread: for a thread or process that does
    /// nothing else. Returns early if another process takes the queue over.
    ///
    /// - Throws: `MailQueueError.leaseHeld` if another process delivers from the queue, `SystemError` if no loop or resolver
    ///   can be made.
    public static func run<Queue: MailQueue>(
        queue: Queue, options: DeliveryOptions, until stopDescriptor: CInt, grace: Duration = .seconds(10),
        counters: DeliveryCounters = DeliveryCounters(), logger: Logger = Logger(label: "reactor.smtp.delivery")
    ) throws {
        let loop = try EventLoop()
        defer { loop.close() }
        let agent = try DeliveryAgent(queue: queue, options: options, loop: loop, counters: counters, logger: logger)
        defer { agent.close() }
        agent.start()
        var stop: Watcher?
        stop = loop.onReadable(stopDescriptor) { [unowned loop] in
            stop?.cancel()
            agent.stop()
            loop.shutDown(within: grace)
        }
        loop.run()
        agent.finishWriting(on: loop, within: grace)
    }

    /// Runs the loop until the outcomes of what was delivered are on the disk: what is not is delivered again.
    func finishWriting(on loop: EventLoop, within grace: Duration) {
        if !isWriting { return }
        let check = loop.every(.milliseconds(1)) { [unowned loop] in if !self.isWriting { loop.stop() } }
        let end = loop.after(grace) { [unowned loop] in loop.stop() }
        loop.run()
        check.cancel()
        end.cancel()
    }
}
