import ConnectionHandling

extension EventLoop {
    /// Runs `work`, which may block, on the ``offloadPool``, then calls `completion` on this loop's thread.
    public func offload<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value, then completion: @escaping (Result<Value, any Error>) -> Void
    ) {
        let pending = PendingCompletion<Value>(loop: self, completion)
        let identity = pending.identity
        let handle = handle
        offloadPool.run {
            let result = Result { try work() }
            handle.deliver { loop in (loop.owned(identity) as? PendingCompletion<Value>)?.complete(result) }
        }
    }

    /// Runs what a handler awaits, and tells its connection or datagram socket, if it is still there, when it is done.
    ///
    /// - Returns: whether it is done already. Then nobody is told.
    func perform(_ work: AwaitedWork, for identity: LoopIdentity) -> Bool {
        switch work.body {
        case .blocking(let body):
            let handle = handle
            offloadPool.run {
                body()
                handle.deliver { $0.answer(identity) }
            }
            return false
        case .suspending(let begin):
            begin(work, handle)
            if work.isDone { return true }
            let handle = handle
            return !work.whenDone { handle.deliver { $0.answer(identity) } }
        }
    }

    private func answer(_ identity: LoopIdentity) {
        switch owned(identity) {
        case let stream as StreamConnection: stream.answered()
        case let datagrams as DatagramTransport: datagrams.answered()
        default: break
        }
    }
}

/// A completion that waits on its loop for the result of offloaded work; it never leaves the loop's thread.
private final class PendingCompletion<Value: Sendable>: LoopOwned {
    private let completion: (Result<Value, any Error>) -> Void

    init(loop: EventLoop, _ completion: @escaping (Result<Value, any Error>) -> Void) {
        self.completion = completion
        super.init(loop: loop)
        loop.own(self)
    }

    override func end() { loop.disown(self) }

    func complete(_ result: Result<Value, any Error>) {
        loop.disown(self)
        completion(result)
    }
}
