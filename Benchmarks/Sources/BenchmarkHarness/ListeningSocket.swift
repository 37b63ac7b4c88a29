import Glibc

extension ProcessTree {
    /// Whether one of the processes listens on this port of 127.0.0.1, or of every address: a port that was free a moment ago
    /// may have become another program's, which would then be measured in its place.
    package func listens(on port: UInt16) -> Bool {
        let inodes = ["/proc/net/tcp", "/proc/net/tcp6"].reduce(into: Set<String>()) { found, table in
            found.formUnion(listeningInodes(readText(table) ?? "", port: port))
        }
        guard !inodes.isEmpty, let members = try? members() else { return false }
        let sockets = Set(inodes.map { "socket:[\($0)]" })
        return members.contains { member in
            entries("/proc/\(member.id)/fd").contains { descriptor in
                linkTarget("/proc/\(member.id)/fd/\(descriptor)").map(sockets.contains) ?? false
            }
        }
    }
}

/// The inodes of the sockets that listen on a port, from `/proc/net/tcp` or `/proc/net/tcp6`.
func listeningInodes(_ text: String, port: UInt16) -> Set<String> {
    var inodes: Set<String> = []
    for line in text.split(separator: "\n").dropFirst() {
        let fields = line.split(separator: " ")
        guard fields.count > 9, fields[3] == "0A", let local = fields[1].split(separator: ":").last,
            UInt16(local, radix: 16) == port
        else { continue }
        inodes.insert(String(fields[9]))
    }
    return inodes
}

private func linkTarget(_ path: String) -> String? {
    var bytes = [CChar](repeating: 0, count: 128)
    let count = readlink(path, &bytes, bytes.count)
    return count > 0 ? String(decoding: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
}
