import ConnectionHandling
import Glibc
import Reactor
import Synchronization

/// Which peer each worker of a preforking server serves, in memory that all its processes share: so that a limit on
/// connections from one address holds over all of them. A worker that dies leaves nothing behind: its parent frees its
/// place.
final class PeerTable {
    private let entries: UnsafeMutablePointer<Atomic<UInt64>>
    private let server: Server
    private let size: Int
    private var freePlaces: [Int]

    init(server: Server) throws(SystemError) {
        self.server = server
        size = server.options.workers
        let bytes = size * MemoryLayout<Atomic<UInt64>>.stride
        let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { throw SystemError("share memory with workers", errno: errno) }
        entries = memory.bindMemory(to: Atomic<UInt64>.self, capacity: size)
        freePlaces = Array((0..<size).reversed())
    }

    deinit { munmap(entries, size * MemoryLayout<Atomic<UInt64>>.stride) }

    // MARK: For the parent

    /// A place for a worker about to be started; nil if every worker has one.
    func takePlace() -> Int? { freePlaces.popLast() }

    /// The worker is gone.
    func free(_ place: Int) {
        leave(place)
        freePlaces.append(place)
    }

    // MARK: For the worker at a place

    /// Counts the connection that this worker is about to serve; false if its peer has too many.
    func enter(_ accepted: Accepted, at place: Int) -> Bool {
        let key = PeerKey(accepted.peer)
        if key == .uncounted { return true }
        // Entered first: of two workers that enter at once, at least one sees the other.
        entries[place].store(key.rawValue, ordering: .sequentiallyConsistent)
        let count = (0..<size).count { entries[$0].load(ordering: .sequentiallyConsistent) == key.rawValue }
        return count <= accepted.endpoint.options.maxConnectionsPerPeer
    }

    func leave(_ place: Int) { entries[place].store(0, ordering: .sequentiallyConsistent) }
}
