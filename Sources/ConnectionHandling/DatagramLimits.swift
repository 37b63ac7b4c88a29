/// What a driver allows one datagram socket, whatever its protocol. Every one of them is set by default.
public struct DatagramLimits: Sendable {
    /// Messages that are received, or sent, with one system call: also what a socket may receive in one turn of its
    /// loop, so that it does not starve the others. 64: the cost of the call is then lost in that of the datagrams. At
    /// most 64, for which a loop has room.
    public var batch = DatagramLimits.largestBatch
    /// The longest payload that is delivered; a longer datagram is cut off there, which its origin says. 65,536: all
    /// that UDP can carry. Costs nothing until such datagrams come, since buffers belong to the loop. At most that.
    public var maxPayload = DatagramLimits.largestPayload
    /// Datagrams that may wait to be sent. What is sent past it is dropped and counted, as a network would: to cut the
    /// socket off, as a connection is, would punish every peer for one. 1,024 is sixteen batches.
    public var maxQueuedDatagrams = 1_024
    /// Bytes that may wait to be sent, as ``maxQueuedDatagrams``. 1 MiB: a thousand datagrams of an Ethernet's size.
    public var maxQueuedBytes = 1024 * 1024
    /// Answers awaited at or above which no more is received. Datagrams that were already received with the same call
    /// are still delivered. 64: more than the four threads of an offload pool can use.
    public var maxAwaited = 64
    /// How long a socket that was closed waits at most for the system to take what it had to send; the rest is dropped and
    /// counted. One minute, as for a connection's output: a Unix-domain receiver may never read what it is sent.
    public var closingTime: Duration = .seconds(60)

    public init() {}

    public static var `default`: DatagramLimits { DatagramLimits() }

    package static let largestBatch = 64
    package static let largestPayload = 65_536

    /// For whoever takes them: numbers out of range are a mistake in the program.
    package func check() {
        precondition((1...Self.largestBatch).contains(batch), "DatagramLimits.batch must be from 1 to 64")
        precondition((0...Self.largestPayload).contains(maxPayload), "DatagramLimits.maxPayload must be from 0 to 65536")
        precondition(
            maxQueuedDatagrams > 0 && maxQueuedBytes > 0 && maxAwaited > 0,
            "DatagramLimits must let one datagram be queued and one answer be awaited")
    }
}

/// What became of the datagrams of a socket, or of all sockets of a loop. Nothing is lost without being counted here,
/// but what the network or the system's receive buffer drops.
public struct DatagramStatistics: Equatable, Sendable {
    /// Datagrams delivered to handlers.
    public package(set) var received: UInt64 = 0
    /// Bytes of those.
    public package(set) var receivedBytes: UInt64 = 0
    /// Of those received, how many were cut off at ``DatagramLimits/maxPayload``.
    public package(set) var truncated: UInt64 = 0
    /// Datagrams that the system took.
    public package(set) var sent: UInt64 = 0
    /// Bytes of those.
    public package(set) var sentBytes: UInt64 = 0
    /// Datagrams dropped because too much waited to be sent, or because the socket was closed before they were.
    public package(set) var dropped: UInt64 = 0
    /// Failures reported to ``DatagramHandler/failed(_:on:)``: datagrams that the system refused, and ICMP errors.
    public package(set) var errors: UInt64 = 0

    public init() {}

    package static func += (total: inout Self, more: Self) { total.combine(more, &+) }

    package static func - (left: Self, right: Self) -> Self {
        var difference = left
        difference.combine(right, &-)
        return difference
    }

    private mutating func combine(_ other: Self, _ operation: (UInt64, UInt64) -> UInt64) {
        received = operation(received, other.received)
        receivedBytes = operation(receivedBytes, other.receivedBytes)
        truncated = operation(truncated, other.truncated)
        sent = operation(sent, other.sent)
        sentBytes = operation(sentBytes, other.sentBytes)
        dropped = operation(dropped, other.dropped)
        errors = operation(errors, other.errors)
    }
}
