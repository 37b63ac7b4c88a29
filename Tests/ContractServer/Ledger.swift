import Glibc
import Synchronization

/// Counts of what handlers were told, in memory that all the processes of a server share.
struct Ledger: Sendable {
    struct Counts: ~Copyable {
        let opened = Atomic(0)
        let closed = Atomic(0)
        /// Calls to a handler that had been told that its connection is closed.
        let late = Atomic(0)
        /// Handlers that have not been let go.
        let alive = Atomic(0)
    }

    private let address: UInt

    init() {
        let memory = mmap(nil, MemoryLayout<Counts>.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { exit(1) }
        memory.bindMemory(to: Counts.self, capacity: 1).initialize(to: Counts())
        address = UInt(bitPattern: memory)
    }

    func with(_ body: (borrowing Counts) -> Void) {
        guard let counts = UnsafePointer<Counts>(bitPattern: address) else { return }
        body(counts.pointee)
    }

    /// One line: `opened closed late alive descriptors;`, the last of the process that serves.
    var line: String {
        var text = ""
        with { counts in
            let values = [
                counts.opened.load(ordering: .acquiring), counts.closed.load(ordering: .acquiring),
                counts.late.load(ordering: .acquiring), counts.alive.load(ordering: .acquiring), openDescriptors,
            ]
            text = values.map(String.init).joined(separator: " ") + ";"
        }
        return text
    }
}

/// How many descriptors this process has.
var openDescriptors: Int {
    guard let directory = opendir("/proc/self/fd") else { return -1 }
    defer { closedir(directory) }
    var count = 0
    while readdir(directory) != nil { count += 1 }
    // Beside `.`, `..` and the directory itself.
    return count - 3
}

/// One handler's entry.
final class Entry {
    private let ledger: Ledger
    private var isClosed = false

    init(_ ledger: Ledger) {
        self.ledger = ledger
        ledger.with { $0.alive.add(1, ordering: .acquiringAndReleasing) }
    }

    deinit { ledger.with { $0.alive.subtract(1, ordering: .acquiringAndReleasing) } }

    func opened() { ledger.with { $0.opened.add(1, ordering: .acquiringAndReleasing) } }

    func called() { if isClosed { ledger.with { $0.late.add(1, ordering: .acquiringAndReleasing) } } }

    func closed() {
        called()
        isClosed = true
        ledger.with { $0.closed.add(1, ordering: .acquiringAndReleasing) }
    }

    var line: String { ledger.line }
}
