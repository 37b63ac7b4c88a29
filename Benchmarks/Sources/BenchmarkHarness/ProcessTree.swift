import CBenchSystem
import Glibc

/// A server process and all its descendants, measured from outside.
package struct ProcessTree {
    package let root: Int32

    package init(root: Int32) { self.root = root }

    /// The root has not ended.
    var isAlive: Bool {
        guard let stat = readText("/proc/\(root)/stat").flatMap({ ProcessStat($0) }) else { return false }
        return stat.state != "Z" && stat.state != "X"
    }

    /// CPU time spent by the tree so far, in nanoseconds, user and system: of live processes from the scheduler's own
    /// clock (their ended threads included), of reaped ones from the times that their parents inherited, which /proc
    /// gives in ticks of 10 ms. Call it while the tree is quiet.
    package func cpuNanoseconds() throws -> UInt64 {
        // A process that ends between two reads would be counted twice or not at all: then read again.
        for _ in 0..<100 {
            let before = try members()
            if let total = ownTime(of: before), try members().elementsEqual(before, by: { $0.isSameProcess(as: $1) }) {
                let ticks = before.reduce(0) { $0 + $1.reapedTicks }
                return total + ticks * (1_000_000_000 / UInt64(sysconf(Int32(_SC_CLK_TCK))))
            }
            usleep(5000)
        }
        throw Failure("the processes of the server did not come to rest, so their CPU time cannot be read")
    }

    private func ownTime(of members: [ProcessStat]) -> UInt64? {
        var total: UInt64 = 0
        for member in members {
            let time = bench_process_cpu_ns(member.id)
            guard time >= 0 else { return nil }
            total += UInt64(time)
        }
        return total
    }

    /// The memory of all processes of the tree together.
    package func memory() throws -> ProportionalSetSize {
        var sum = ProportionalSetSize()
        for member in try members() where member.state != "Z" {
            // A process may end meanwhile; what it had is then no longer in use.
            guard let text = readText("/proc/\(member.id)/smaps_rollup") else { continue }
            if let size = ProportionalSetSize(text) { sum += size }
        }
        guard sum.total > 0 else {
            throw Failure("/proc/\(root)/smaps_rollup tells nothing: it takes Linux 5.4, and the server's user or root")
        }
        return sum
    }

    /// The root first, then its descendants in order of process id.
    package func members() throws -> [ProcessStat] {
        var children: [Int32: [ProcessStat]] = [:]
        var found: [ProcessStat] = []
        for stat in allProcesses() {
            if stat.id == root { found.append(stat) } else { children[stat.parent, default: []].append(stat) }
        }
        guard !found.isEmpty else { throw Failure("the server's process \(root) is gone") }
        var next = 0
        while next < found.count {
            found += children[found[next].id] ?? []
            next += 1
        }
        return found
    }

    private func allProcesses() -> [ProcessStat] {
        entries("/proc").compactMap { readText("/proc/\($0)/stat").flatMap { ProcessStat($0) } }
    }
}

/// The names in a directory of /proc that are numbers; none if there is no such directory.
func entries(_ path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name.first?.isNumber == true { names.append(name) }
    }
    return names
}

/// The text of a file, read to its end whatever size it claims; nil if it cannot be read.
func readText(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
        let count = read(file, &chunk, chunk.count)
        if count < 0 { return nil }
        if count == 0 { return String(decoding: bytes, as: UTF8.self) }
        bytes += chunk[..<count]
    }
}
