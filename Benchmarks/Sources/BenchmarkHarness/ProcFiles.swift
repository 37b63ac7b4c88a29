/// What the harness reads from /proc, as values made from the text of the files.

/// `/proc/PID/stat`.
package struct ProcessStat: Equatable, Sendable {
    package let id: Int32
    package let parent: Int32
    /// `R`, `S`, `Z`, …
    package let state: Character
    /// User and system time of the children it has waited for, in clock ticks. The kernel adds the whole of a child's
    /// time, its own children's included, when the child is reaped.
    package let reapedUserTicks: UInt64
    package let reapedSystemTicks: UInt64
    package var reapedTicks: UInt64 { reapedUserTicks + reapedSystemTicks }

    /// The same process: its times go on.
    func isSameProcess(as other: ProcessStat) -> Bool {
        id == other.id && parent == other.parent && state == other.state && reapedTicks == other.reapedTicks
    }

    package init?(_ text: String) {
        // The second field is the program's name in parentheses, and may hold spaces and parentheses itself.
        guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close,
            let id = Int32(text[..<open].trimmed)
        else { return nil }
        let fields = text[text.index(after: close)...].split(whereSeparator: \.isWhitespace)
        // fields[0] is field 3 of proc_pid_stat(5); cutime and cstime are fields 16 and 17.
        guard fields.count > 14, let state = fields[0].first, let parent = Int32(fields[1]),
            let childUser = UInt64(fields[13]), let childSystem = UInt64(fields[14])
        else { return nil }
        self.id = id
        self.parent = parent
        self.state = state
        (reapedUserTicks, reapedSystemTicks) = (childUser, childSystem)
    }
}

/// `/proc/PID/smaps_rollup`: the proportional set size, which counts private pages whole and shared pages divided by
/// how many share them.
package struct ProportionalSetSize: Equatable, Sendable {
    /// Bytes in all.
    package private(set) var total: UInt64 = 0
    /// Bytes of heap, stacks, written data and shared memory: without the pages of files, whose share falls and rises
    /// with every other program that happens to map the same libraries.
    package private(set) var withoutFiles: UInt64 = 0

    package init() {}

    package init?(_ text: String) {
        var sizes: [Substring: UInt64] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count == 3, fields[2] == "kB" { sizes[fields[0]] = UInt64(fields[1]) }
        }
        guard let total = sizes["Pss:"], let anonymous = sizes["Pss_Anon:"], let shared = sizes["Pss_Shmem:"] else {
            return nil
        }
        self.total = total * 1024
        withoutFiles = (anonymous + shared) * 1024
    }

    static func += (sum: inout ProportionalSetSize, other: ProportionalSetSize) {
        sum.total += other.total
        sum.withoutFiles += other.withoutFiles
    }
}

/// The connections to a port, from `/proc/net/tcp`, as the server's end shows them.
package struct ServerSockets: Equatable, Sendable {
    /// Connections that the kernel holds for the server, accepted by it or not.
    package var open = 0
    /// Those of them that the server has accepted and has read everything from.
    package var caughtUp = 0

    package init(_ text: String, port: UInt16) {
        for line in text.split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ")
            guard fields.count > 9, let local = fields[1].split(separator: ":").last,
                UInt16(local, radix: 16) == port, let state = UInt8(fields[3], radix: 16),
                let queues = fields[4].split(separator: ":").last, let unread = UInt64(queues, radix: 16)
            else { continue }
            let established: UInt8 = 1, closeWait: UInt8 = 8
            guard state == established || state == closeWait else { continue }
            open += 1
            // A socket gets its inode when it is accepted.
            if unread == 0 && fields[9] != "0" { caughtUp += 1 }
        }
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = self
        while text.last?.isWhitespace == true { text.removeLast() }
        while text.first?.isWhitespace == true { text.removeFirst() }
        return text
    }
}
