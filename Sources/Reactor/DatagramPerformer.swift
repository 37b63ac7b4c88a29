import CReactorSystem
package import ConnectionHandling
import Glibc

/// Performs on a non-blocking socket what its ``DatagramConversation`` decides: what the reactor and the blocking
/// architectures have in common. They differ in how they wait.
package struct DatagramPerformer: ~Copyable {
    package var conversation: DatagramConversation
    package let fd: CInt
    private let batch: DatagramBatch
    private let isUnix: Bool
    private let port: UInt16
    /// The longest datagram that the kernel cuts messages into on this socket; 0 if it can't.
    private(set) var largestSegment: Int
    /// More errors than were taken wait in the socket's queue.
    private var errorsWait = false

    /// Errors taken from the socket's queue, or met in sending, at a time, so that they do not starve everything else.
    private static let errorBudget = 64
    /// Rounds of sending and being called back for more that a socket may have in a turn.
    private static let sendRounds = 16

    package init(
        socket: borrowing DatagramDescriptor, options: DatagramOptions, limits: DatagramLimits, handler: DatagramHandlerBox,
        clock: DriverClock, batch: DatagramBatch
    ) {
        fd = socket.descriptor.number
        isUnix = socket.address.isUnix
        port = socket.address.port ?? 0
        self.batch = batch
        largestSegment = 0
        conversation = DatagramConversation(
            handler: handler, localAddress: socket.address, peer: socket.peer, clock: clock, limits: limits)
        if options.offload && limits.batch > 1 && !isUnix && canSegment { largestSegment = .max }
    }

    private var canSegment: Bool {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(fd, CInt(IPPROTO_UDP), creactor_udp_segment, &value, &length) == 0
    }

    // MARK: Receiving

    /// Receives and delivers one batch. Returns how many messages there were; fewer than the limit if no more waits.
    @discardableResult
    package mutating func receive() -> Int {
        if errorsWait { takeErrors() }
        for _ in 0..<Self.errorBudget where conversation.wantsInput {
            let count = batch.receive(fd, count: conversation.socket.limits.batch, isUnix: isUnix)
            if count < 0 {
                if mayRetry(-CInt(count)) { continue }
                return 0
            }
            for index in 0..<count {
                batch.deliver(index, port: port, to: &conversation)
                if conversation.hasBatch { sendQueue() }
            }
            return count
        }
        return 0
    }

    /// Nothing was received. What made the socket ready may be an error of something sent, which stays until it is taken;
    /// and what was said instead of receiving hides what waits behind it.
    private mutating func mayRetry(_ errno: CInt) -> Bool {
        if errno == EINTR { return true }
        if takeErrors() > 0 || errno == EAGAIN { return errno != EAGAIN }
        conversation.fail(DatagramFailure(errno: errno, destination: conversation.socket.peer))
        return false
    }

    // MARK: Sending

    /// Sends all that waits, and lets the handler go on once it is sent.
    package mutating func flush() {
        for _ in 0..<Self.sendRounds {
            sendQueue()
            if !conversation.socket.queue.isEmpty || !conversation.socket.isBackedUp { break }
            conversation.drain()
        }
    }

    private mutating func sendQueue() {
        var (retries, refusals) = (0, 0)
        // Why a joined message was refused whose first datagram is now sent alone, to learn which of the two was the reason.
        var joinedError: CInt?
        // A handler that sends again what was refused must not keep the loop for itself: the rest waits for the next turn.
        while !conversation.socket.queue.isEmpty && refusals < Self.errorBudget
            && !conversation.socket.decisions.contains(.aborting)
        {
            let messages = batch.prepare(
                conversation.socket.queue, limit: joinedError == nil ? conversation.socket.limits.batch : 1,
                largestSegment: joinedError == nil ? largestSegment : 0)
            let sent = batch.send(fd, count: messages)
            if sent > 0 {
                if let error = joinedError.take() { joiningFailed(error) }
                conversation.sent(batch.datagrams(in: sent))
                // The reason for stopping short may have been an error that the call then did not report.
                if sent < messages { takeErrors() }
                continue
            }
            let error = -CInt(sent)
            switch error {
            case EINTR: continue
            case EAGAIN where !isUnix || !isWritable:
                conversation.backUp()
                return
            case EAGAIN:
                // The receiver's queue is full, and nothing would say when it no longer is. To wait for one receiver
                // would keep the others waiting.
                conversation.refused(errno: error)
                refusals += 1
            default:
                // What became of an earlier datagram is reported by whatever call comes next, which then does nothing.
                if takeErrors() > 0 && retries < Self.errorBudget {
                    retries += 1
                } else if batch.datagrams(in: 1) > 1 {
                    joinedError = error
                } else {
                    joinedError = nil
                    conversation.refused(errno: error)
                    refusals += 1
                }
            }
        }
    }

    /// The kernel would not cut up a message whose first datagram it takes alone. Either it can't for this interface, or
    /// not into datagrams of this size; or it was something else, which is over.
    private mutating func joiningFailed(_ error: CInt) {
        switch error {
        case EIO, EOPNOTSUPP: largestSegment = 0
        case EINVAL, EMSGSIZE: largestSegment = min(largestSegment, conversation.socket.queue.firstLength) - 1
        default: break
        }
    }

    /// Whether it is not the socket's own buffer that is full.
    private var isWritable: Bool {
        var entry = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
        return poll(&entry, 1, 0) > 0
    }

    // MARK: Errors

    /// Reports what waits in the socket's error queue. Returns how many errors came from elsewhere: those of this
    /// machine are also what the sending call returns.
    @discardableResult
    private mutating func takeErrors() -> Int {
        if isUnix { return 0 }
        var reported = 0
        for _ in 0..<Self.errorBudget {
            var error = creactor_socket_error()
            var (name, offender) = (sockaddr_storage(), sockaddr_storage())
            if creactor_socket_error_take(fd, &error, &name, &offender) == 0 {
                errorsWait = false
                return reported
            }
            guard error.origin == 2 || error.origin == 3 else { continue }
            reported += 1
            conversation.fail(
                DatagramFailure(
                    errno: Int32(truncatingIfNeeded: error.code),
                    destination: error.name_length > 0 ? SocketAddress(system: name, length: error.name_length).unmapped : nil,
                    icmp: ICMPError(
                        isIPv6: error.origin == 3, type: error.icmp_type, code: error.icmp_code,
                        mtu: error.code == EMSGSIZE ? error.info : nil,
                        sender: error.offender_length > 0
                            ? SocketAddress(system: offender, length: error.offender_length).unmapped : nil)))
        }
        errorsWait = true
        return reported
    }
}
