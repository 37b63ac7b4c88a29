import ConnectionHandling
import Glibc
import ReactorDNS
import ReactorWire

/// hosts(5): addresses with their names.
struct HostsFile {
    private(set) var addresses: [DomainName: [IPAddress]] = [:]
    private(set) var names: [DomainName: [DomainName]] = [:]
    private var changes: FileChanges?

    /// What stands behind so many bytes is not read: the loop waits meanwhile. A file of ordinary size takes less than a
    /// millisecond.
    static let longest = 4 << 20

    init(path: String?) { changes = path.map { FileChanges(path: $0) } }

    mutating func refresh(at now: MonotonicTime) {
        guard let path = changes?.path, changes?.haveCome(at: now) == true else { return }
        addresses = [:]
        names = [:]
        for line in Self.read(path).split(separator: UInt8(ascii: "\n")) { take(line) }
    }

    private mutating func take(_ line: ArraySlice<UInt8>) {
        let fields = line.prefix { $0 != UInt8(ascii: "#") }.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
            .map { String(decoding: $0, as: UTF8.self) }
        guard let first = fields.first, let address = IPAddress(parsing: first) else { return }
        let reverseName = address.reverseName
        for field in fields.dropFirst() {
            guard let name = try? DomainName(parsing: field) else { continue }
            if addresses[name]?.contains(address) != true { addresses[name, default: []].append(address) }
            names[reverseName, default: []].append(name)
        }
    }

    /// The records that it has, if any.
    func records(of type: RecordType, for name: DomainName) -> [ResourceRecord] {
        let data: [RecordData] = switch type {
        case .a, .aaaa: (addresses[name] ?? []).filter { $0.recordType == type }.map { .address($0) }
        case .ptr: (names[name] ?? []).map { .ptr($0) }
        default: []
        }
        return data.map { ResourceRecord(name: name, timeToLive: 0, data: $0) }
    }

    private static func read(_ path: String) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if file < 0 { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while bytes.count < longest {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count <= 0 { break }
            bytes += chunk[..<count]
        }
        return bytes
    }
}
