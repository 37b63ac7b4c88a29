import ConnectionHandling
import Glibc
import Reactor
import Synchronization

/// Which endpoint each worker of a preforking server serves, and which peer, in memory that all its processes share: so
/// that the limits on connections, overall and from one address, hold over all of them. A worker that dies leaves
/// nothing behind: its parent frees its place.
final class PeerTable {
    /// The peers, then the endpoints: one of each for every place, 0 for none.
    private let entries: UnsafeMutablePointer<Atomic<UInt64>>
    private let server: Server
    private let size: Int
    private var freePlaces: [Int]

    init(server: Server) throws(SystemError) {
        self.server = server
        size = server.options.workers
        let bytes = 2 * size * MemoryLayout<Atomic<UInt64>>.stride
        let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { throw SystemError("share memory with workers", errno: errno) }
        entries = memory.bindMemory(to: Atomic<UInt64>.self, capacity: size)
        freePlaces = Array((0..<size).reversed())
    }

    deinit { munmap(entries, 2 * size * MemoryLayout<Atomic<UInt64>>.stride) }

    // MARK: For the parent

    /// A place for a worker about to be started; nil if every worker has one.
    func takePlace() -> Int? { freePlaces.popLast() }

    /// The worker is gone.
    func free(_ place: Int) {
        leave(place)
        freePlaces.append(place)
    }

    // MARK: For the worker at a place

    /// Takes one of an endpoint's connections, before it is accepted; false if there is none left.
    func reserve(_ index: Int, at place: Int) -> Bool {
        let mark = UInt64(index) + 1
        // Entered first: of two workers that take the last at once, none or one gets it, and both try again.
        entries[size + place].store(mark, ordering: .sequentiallyConsistent)
        let count = (size..<2 * size).count { entries[$0].load(ordering: .sequentiallyConsistent) == mark }
        if count <= server.endpoints[index].options.maxConnections { return true }
        leave(place)
        return false
    }

    /// Counts the connection that this worker is about to serve; false if its peer has too many.
    func enter(_ accepted: Accepted, at place: Int) -> Bool {
        let key = PeerKey(accepted.peer)
        if key == .uncounted { return true }
        // Entered first: of two workers that enter at once, at least one sees the other.
        entries[place].store(key.rawValue, ordering: .sequentiallyConsistent)
        let count = (0..<size).count { entries[$0].load(ordering: .sequentiallyConsistent) == key.rawValue }
        return count <= accepted.endpoint.options.maxConnectionsPerPeer
    }

    func leave(_ place: Int) {
        entries[place].store(0, ordering: .sequentiallyConsistent)
        entries[size + place].store(0, ordering: .sequentiallyConsistent)
    }
}
