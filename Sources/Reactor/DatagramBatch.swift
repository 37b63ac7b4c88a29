import CReactorSystem
import ConnectionHandling
import Glibc

/// The arrays for receiving and sending many datagrams with one call, made once for a loop or a receiving thread and
/// used by all its sockets. A buffer's pages take memory only once datagrams that long have come.
package final class DatagramBatch {
    private let arrays: OpaquePointer
    /// Where the kernel writes who sent what.
    private let origins: UnsafeMutablePointer<DatagramOrigin>
    /// How many datagrams each message made ready to be sent consists of.
    private let counts: UnsafeMutablePointer<Int>

    private static let capacity = DatagramLimits.largestBatch
    /// What the kernel cuts up at most, in datagrams (UDP_MAX_SEGMENTS) and in bytes, with room for headers.
    private static let mostSegments = 64
    private static let mostBytes = 65_000

    package init() throws(SystemError) {
        guard let arrays = creactor_batch_make(CInt(Self.capacity), DatagramLimits.largestPayload) else {
            throw SystemError("receive datagrams", errno: ENOMEM)
        }
        self.arrays = arrays
        origins = .allocate(capacity: Self.capacity)
        origins.initialize(repeating: DatagramOrigin(), count: Self.capacity)
        counts = .allocate(capacity: Self.capacity)
        counts.initialize(repeating: 0, count: Self.capacity)
    }

    deinit {
        creactor_batch_free(arrays)
        origins.deallocate()
        counts.deallocate()
    }

    /// Receives at most `count` messages. Returns how many, or the negative errno.
    func receive(_ fd: CInt, count: Int, isUnix: Bool) -> Int {
        Int(creactor_batch_receive(arrays, fd, CInt(count), origins, MemoryLayout<DatagramOrigin>.stride, isUnix ? 1 : 0))
    }

    /// Hands on the `index`-th message received, by a socket that is bound to `port`.
    func deliver(_ index: Int, port: UInt16, to conversation: inout DatagramConversation) {
        guard let message = creactor_batch_received(arrays, CInt(index)) else { return }
        let origin = origins + index
        origin.pointee.nameLength = message.pointee.name_length
        origin.pointee.fullLength = Int(message.pointee.full_length)
        origin.pointee.localPort = port
        origin.pointee.local.family = message.pointee.route.family
        origin.pointee.local.interface = message.pointee.route.interface
        origin.pointee.local.destination = message.pointee.route.destination
        origin.pointee.local.source = message.pointee.route.source
        let bytes = UnsafeRawBufferPointer(start: message.pointee.payload, count: Int(message.pointee.length))
        conversation.receive(
            RawSpan(_unsafeBytes: bytes), segment: Int(message.pointee.segment), from: &origin.pointee)
    }

    /// Makes the front of the queue ready to be sent, `limit` messages at most, and returns how many there are. What
    /// goes to one peer in datagrams of one size, no longer than `largestSegment`, becomes one message.
    func prepare(_ queue: borrowing DatagramQueue, limit: Int, largestSegment: Int) -> Int {
        queue.withContents { entries, payloads in
            guard let first = entries.baseAddress else { return 0 }
            // Without a single byte to send, any address will do.
            let bytes = payloads.baseAddress ?? UnsafeRawPointer(first)
            var (messages, index, offset) = (0, 0, 0)
            while index < entries.count && messages < limit {
                let head = first + index
                let run = run(from: head, of: entries.count - index, largestSegment: largestSegment)
                put(messages, head, bytes + offset, length: run.bytes, isCut: run.count > 1)
                counts[messages] = run.count
                messages += 1
                index += run.count
                offset += run.bytes
            }
            return messages
        }
    }

    /// The datagrams from `head` on that can be sent as one message: as long as the first, but the last may be shorter.
    private func run(
        from head: UnsafePointer<DatagramQueue.Entry>, of available: Int, largestSegment: Int
    ) -> (count: Int, bytes: Int) {
        let size = Int(head.pointee.length)
        var (count, bytes) = (1, size)
        if size == 0 || size > largestSegment { return (count, bytes) }
        let most = min(available, Self.mostSegments)
        while count < most {
            let next = head + count
            let length = Int(next.pointee.length)
            guard length > 0, length <= size, bytes + length <= Self.mostBytes, goesTheSameWay(head, next) else { break }
            count += 1
            bytes += length
            if length < size { break }
        }
        return (count, bytes)
    }

    private func goesTheSameWay(
        _ left: UnsafePointer<DatagramQueue.Entry>, _ right: UnsafePointer<DatagramQueue.Entry>
    ) -> Bool {
        left.pointee.nameLength == right.pointee.nameLength
            && memcmp(left, right, Int(left.pointee.nameLength)) == 0
            && left.pointee.local.family == right.pointee.local.family
            && left.pointee.local.source == right.pointee.local.source
    }

    private func put(
        _ index: Int, _ entry: UnsafePointer<DatagramQueue.Entry>, _ payload: UnsafeRawPointer, length: Int, isCut: Bool
    ) {
        var route = creactor_route()
        route.family = entry.pointee.local.family
        route.interface = entry.pointee.local.interface
        route.source = entry.pointee.local.source
        creactor_batch_put(
            arrays, CInt(index), entry, entry.pointee.nameLength, payload, length, isCut ? entry.pointee.length : 0, &route)
    }

    /// Sends the first `count` messages made ready. Returns how many, or the negative errno.
    func send(_ fd: CInt, count: Int) -> Int { Int(creactor_batch_send(arrays, fd, CInt(count))) }

    /// How many datagrams the first `count` messages made ready were.
    func datagrams(in count: Int) -> Int { (0..<count).reduce(0) { $0 + counts[$1] } }
}
