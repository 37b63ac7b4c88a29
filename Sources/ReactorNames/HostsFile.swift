import ConnectionHandling
import Glibc
import Reactor
import ReactorDNS

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
        do throws(SystemError) {
            let bytes = try Self.read(path)
            addresses = [:]
            names = [:]
            for line in bytes.split(separator: UInt8(ascii: "\n")) { take(line) }
        } catch {
            // What was known counts until it can be read: without descriptors, say, names would be asked for elsewhere.
            changes?.lookAgain()
        }
    }

    private mutating func take(_ line: ArraySlice<UInt8>) {
        let fields = line.prefix { $0 != UInt8(ascii: "#") }.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
            .map { String(decoding: $0, as: UTF8.self) }
        guard let first = fields.first, let address = IPAddress(parsing: first) else { return }
        let reverseName = address.reverseName
        for field in fields.dropFirst() {
            guard let name = try? DomainName(parsing: field) else { continue }
            addresses[name, default: []].append(address)
            names[reverseName, default: []].append(name)
        }
    }

    /// The records that it has; nil if there are none.
    func records(for question: DNSMessage.Question) -> Resolution? {
        let name = question.name
        var seen: Set<IPAddress> = []
        let data: [RecordData] = switch question.type {
        case .a, .aaaa:
            (addresses[name] ?? []).filter { $0.recordType == question.type && seen.insert($0).inserted }.map { .address($0) }
        case .ptr: (names[name] ?? []).map { .ptr($0) }
        default: []
        }
        if data.isEmpty { return nil }
        let records = data.map { ResourceRecord(name: name, timeToLive: 0, data: $0) }
        return .records(records, canonicalName: name, timeToLive: 0)
    }

    /// A name whose addresses here are all of one family has none of the other: a server's would be of another machine, and
    /// be tried before the one that the file is to lead to.
    func absence(for question: DNSMessage.Question) -> Resolution? {
        let isOfAddresses = question.type == .a || question.type == .aaaa
        return isOfAddresses && addresses[question.name] != nil ? .noData(timeToLive: nil) : nil
    }

    /// Nothing if there is no such file. Of one that is too long, the whole lines: the name on a broken one is another.
    private static func read(_ path: String) throws(SystemError) -> [UInt8] {
        let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if number < 0 {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw SystemError("read \(path)", errno: errno)
        }
        let file = Descriptor(owning: number)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = Glibc.read(file.number, &chunk, min(chunk.count, longest + 1 - bytes.count))
            if count < 0 { throw SystemError("read \(path)", errno: errno) }
            bytes += chunk[..<count]
            if bytes.count > longest { return Array(bytes[..<(bytes.lastIndex(of: UInt8(ascii: "\n")) ?? 0)]) }
            if count == 0 { return bytes }
        }
    }
}
