import CReactorSystem
import ConnectionHandling
import Glibc
import Reactor

/// The driver of datagram sockets for the architectures without a loop: receives, on the calling thread, from a socket
/// that it may share with others. Several receivers may wait for one socket; the kernel wakes one of them.
struct DatagramReceiver: ~Copyable {
    private var performer: DatagramPerformer
    private let clock: DriverClock
    private let stopSignal: StopSignal
    /// Waits for datagrams, and for the word to stop.
    private let set: Descriptor
    private var stopSeen = false
    private let executor = ThreadBoundExecutor()

    /// Batches received before the handler is told to stop: what waits then was sent to a server that still received.
    private static let lastBatches = 64
    /// Longest wait, in milliseconds, so that the end of the grace period is noticed.
    private static let longestWait: UInt64 = 1_000

    /// - Parameter number: the socket, which stays its server's.
    init(_ number: CInt, _ endpoint: DatagramEndpoint, _ stopSignal: StopSignal) throws(SystemError) {
        let batch = try DatagramBatch()
        let watched = [number, stopSignal.descriptor]
        let waiting = creactor_input_set(watched, 2, 1)
        guard waiting >= 0 else { throw SystemError("wait for datagrams", errno: -waiting) }
        set = Descriptor(owning: waiting)
        clock = DriverClock(now: MonotonicTime(nanoseconds: creactor_monotonic_ns()), unixSeconds: Int64(time(nil)))
        let socket = DatagramDescriptor(adopting: number)
        performer = DatagramPerformer(
            socket: socket, options: endpoint.options, limits: endpoint.limits, handler: endpoint.makeHandler(),
            clock: clock, batch: batch)
        _ = socket.release()
        self.stopSignal = stopSignal
    }

    /// Receives until the server stops, or the handler closes its socket.
    mutating func run() {
        performer.conversation.start()
        performer.conversation.close(converse())
    }

    private mutating func converse() -> CloseReason {
        while true {
            performer.flush()
            if let outcome = performer.conversation.outcome { return outcome }
            if stopSignal.isCutOff { return .stopped }
            if let work = performer.conversation.socket.takeWork() {
                executor.run(work)
                refreshClock()
                performer.conversation.answer()
            } else if performer.conversation.deadline <= clock.now {
                performer.conversation.expire()
            } else {
                wait()
            }
        }
    }

    /// Waits for what comes first, and receives a batch if that is it.
    private mutating func wait() {
        if !performer.conversation.socket.queue.isEmpty { return waitUntilWritable() }
        if stopSeen {
            // The word to stop stays readable, and would not let anybody wait.
            var entry = pollfd(fd: performer.fd, events: Int16(POLLIN), revents: 0)
            poll(&entry, 1)
            if entry.revents != 0 { performer.receive() }
            return
        }
        var ready: (CInt, CInt) = (-1, -1)
        let count = withUnsafeMutableBytes(of: &ready) {
            creactor_input_wait(set.number, $0.bindMemory(to: CInt.self).baseAddress, 2, milliseconds)
        }
        refreshClock()
        if count <= 0 { return }
        if ready.0 == stopSignal.descriptor || ready.1 == stopSignal.descriptor { return stop() }
        performer.receive()
    }

    private mutating func waitUntilWritable() {
        var entries = [
            pollfd(fd: performer.fd, events: Int16(POLLOUT), revents: 0),
            pollfd(fd: stopSeen ? -1 : stopSignal.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        poll(&entries, 2)
        if entries[1].revents != 0 { stop() }
    }

    private mutating func stop() {
        stopSeen = true
        for _ in 0..<Self.lastBatches where performer.conversation.wantsInput {
            if performer.receive() == 0 { break }
            performer.flush()
        }
        performer.conversation.stop()
    }

    // MARK: Time

    private func poll(_ entries: UnsafeMutablePointer<pollfd>?, _ count: nfds_t) {
        _ = Glibc.poll(entries, count, milliseconds)
        refreshClock()
    }

    /// Rounded up, so as not to wake just before the moment; once the server stops, often enough to end with it.
    private var milliseconds: CInt {
        let left = clock.now.nanoseconds(until: performer.conversation.deadline) / 1_000_000
        return CInt(min(left + 1, stopSeen ? 50 : Self.longestWait))
    }

    private func refreshClock() {
        clock.now = MonotonicTime(nanoseconds: creactor_monotonic_ns())
        clock.unixSeconds = Int64(time(nil))
    }
}

extension Server {
    /// How many receive from each datagram socket under the blocking architectures.
    private var receiversPerSocket: Int {
        switch options.architecture {
        case .threadPool, .prefork: options.workers
        default: 1
        }
    }

    /// One piece of work for each receiver: it blocks until the server stops.
    var receivers: [@Sendable () -> Void] {
        zip(datagrams, datagramSockets).flatMap { endpoint, sockets in
            sockets.flatMap { socket in
                (0..<receiversPerSocket).map { _ in { @Sendable in self.receive(socket, endpoint) } }
            }
        }
    }

    private func receive(_ socket: CInt, _ endpoint: DatagramEndpoint) {
        do throws(SystemError) {
            var receiver = try DatagramReceiver(socket, endpoint, stopSignal)
            receiver.run()
        } catch {
            // A process that ends is started again by its parent.
            if !options.architecture.forks { fail(error) }
        }
    }

    /// Once the server stops: a server that starts while this one drains may bind the paths anew, and must keep them.
    func removeDatagramPaths() {
        for (endpoint, file) in zip(datagrams, datagramFiles) where !endpoint.isAdopted { file?.remove() }
    }
}
