import CCAres
import ConnectionHandling
import Glibc
import Reactor
import ReactorDNS

/// Whom to ask, and how to complete short names, out of resolv.conf(5), as c-ares reads it (and `LOCALDOMAIN` and
/// `RES_OPTIONS` with it).
struct SystemConfiguration: Equatable {
    var servers: [SocketAddress]
    var searchDomains: [DomainName]
    var ndots: Int

    /// - Throws: ``SystemError`` if the file is there and cannot be read.
    init(reading path: String) throws(SystemError) {
        var options = ares_options()
        let channel = try Ares.makeChannel(&options, 0, configurationFile: path)
        defer { ares_destroy(channel) }
        servers = Ares.servers(of: channel)
        var saved = ares_options()
        var mask: CInt = 0
        guard ares_save_options(channel, &saved, &mask) == ARES_SUCCESS else {
            throw SystemError("read \(path)", errno: ENOMEM)
        }
        defer { ares_destroy_options(&saved) }
        ndots = Int(saved.ndots)
        searchDomains = []
        for index in 0..<Int(saved.ndomains) {
            guard let text = saved.domains?[index], let name = try? DomainName(parsing: String(cString: text)) else { continue }
            searchDomains.append(name)
        }
    }
}

/// Whether a file has changed, asked at most once a second.
struct FileChanges {
    private struct Version: Equatable {
        let device: dev_t
        let inode: ino_t
        let size: off_t
        let seconds: Int
        let nanoseconds: Int
    }

    let path: String
    private var seen: Version?
    private var isKnown = false
    private var nextLook = MonotonicTime(nanoseconds: 0)

    init(path: String) { self.path = path }

    /// True at first.
    mutating func haveCome(at now: MonotonicTime) -> Bool {
        if now < nextLook { return false }
        nextLook = now.advanced(by: .seconds(1))
        var status = stat()
        let version = stat(path, &status) == 0
            ? Version(
                device: status.st_dev, inode: status.st_ino, size: status.st_size, seconds: status.st_mtim.tv_sec,
                nanoseconds: status.st_mtim.tv_nsec) : nil
        defer { (seen, isKnown) = (version, true) }
        return !isKnown || version != seen
    }

    /// What has come could not be read: it has come the next time as well.
    mutating func lookAgain() { isKnown = false }
}
