package import Glibc
import ReactorWire

/// Datagrams that wait to be sent: the payloads one behind the other, and beside them where each one goes. The system's
/// send call takes both as they lie. Empty, it holds no more storage than ``keptCapacity``.
package struct DatagramQueue: ~Copyable {
    /// One datagram, without its payload. Plain bits, which `ByteQueue` can move.
    package struct Entry {
        /// The destination as the system wants it; of a connected socket, of length 0.
        package var name = sockaddr_storage()
        package var nameLength: UInt32 = 0
        package var length: UInt32 = 0
        package var local = LocalRoute()

        fileprivate static let stride = MemoryLayout<Entry>.stride
    }

    /// Room for a batch of datagrams of an Ethernet's size, and then some: what one burst took must not stay for good.
    package static let keptCapacity = 256 * 1024

    private var payloads = ByteQueue()
    private var entries = ByteQueue()
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }
    package var byteCount: Int { payloads.count }

    /// Appends a datagram to whom `origin` names; nil for the peer of a connected socket.
    package mutating func append(_ payload: RawSpan, to origin: DatagramOrigin?) {
        entries.append(capacity: Entry.stride) { room in
            guard let base = room.baseAddress?.bindMemory(to: Entry.self, capacity: 1) else { return 0 }
            // Only what is used of it: an address of IPv4 is 16 of 128 bytes.
            base.pointer(to: \.nameLength)?.pointee = origin?.nameLength ?? 0
            base.pointer(to: \.length)?.pointee = UInt32(truncatingIfNeeded: payload.byteCount)
            base.pointer(to: \.local)?.pointee = origin?.local ?? LocalRoute()
            if let origin {
                withUnsafeBytes(of: origin.name) { name in
                    room.copyMemory(from: UnsafeRawBufferPointer(rebasing: name.prefix(Int(origin.nameLength))))
                }
            }
            return Entry.stride
        }
        payloads.append(payload)
        count += 1
    }

    /// Lends the entries and, beside them, the payloads.
    package func withContents<Result>(
        _ body: (UnsafeBufferPointer<Entry>, UnsafeRawBufferPointer) -> Result
    ) -> Result {
        entries.withUnsafeBytes { entries in
            payloads.withUnsafeBytes { payloads in body(entries.bindMemory(to: Entry.self), payloads) }
        }
    }

    /// Where the first datagram goes; nil on a connected socket.
    package var firstDestination: SocketAddress? {
        withContents { entries, _ in
            guard let first = entries.first, first.nameLength > 0 else { return nil }
            return SocketAddress(system: first.name, length: first.nameLength)
        }
    }

    /// How many bytes the first datagram has.
    package var firstLength: Int { withContents { entries, _ in Int(entries.first?.length ?? 0) } }

    /// The first datagram, copied: for drivers without a system to send it.
    package var first: (payload: [UInt8], destination: SocketAddress?)? {
        if isEmpty { return nil }
        return (payloads.bytes.extracting(first: firstLength).array, firstDestination)
    }

    /// Takes the first `count` datagrams out, and returns how many bytes they had.
    @discardableResult
    package mutating func removeFirst(_ count: Int) -> Int {
        let bytes = withContents { entries, _ in entries.prefix(count).reduce(0) { $0 + Int($1.length) } }
        entries.removeFirst(count * Entry.stride)
        payloads.removeFirst(bytes)
        self.count -= count
        if isEmpty && capacityInUse > Self.keptCapacity { removeAll() }
        return bytes
    }

    package mutating func removeAll(keepingCapacity: Bool = false) {
        entries.removeAll(keepingCapacity: keepingCapacity)
        payloads.removeAll(keepingCapacity: keepingCapacity)
        count = 0
    }

    package var capacityInUse: Int { entries.capacityInUse + payloads.capacityInUse }
}
