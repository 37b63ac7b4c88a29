import Glibc

/// Where a certificate, key or list comes from. A file is read anew by every reload.
public enum TLSSource: Hashable, Sendable {
    case file(String)
    case bytes([UInt8])

    /// For messages.
    var name: String {
        switch self {
        case .file(let path): path
        case .bytes: "(in memory)"
        }
    }

    /// No file of certificates is as long. It keeps a mistaken path (a device, a disk image) from filling the memory.
    private static let longest = 64 << 20

    func load() throws(TLSConfigurationError) -> [UInt8] {
        guard case .file(let path) = self else {
            if case .bytes(let bytes) = self { return bytes }
            return []
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unreadable(path, errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &room, room.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw .unreadable(path, errno) }
            if count == 0 { return bytes }
            bytes += room[..<count]
            if bytes.count > Self.longest { throw TLSConfigurationError(.malformed, path, "is longer than 64 MiB") }
        }
    }
}
