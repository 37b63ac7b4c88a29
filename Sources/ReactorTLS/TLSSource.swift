import Glibc

/// Where a certificate, key or list comes from. A file is read anew by every reload.
public struct TLSSource: Hashable, Sendable {
    let path: String?
    /// Nil until the file is read.
    private let content: [UInt8]?

    public static func file(_ path: String) -> TLSSource { TLSSource(path: path, content: nil) }
    public static func bytes(_ bytes: [UInt8]) -> TLSSource { TLSSource(path: nil, content: bytes) }

    init(path: String?, content: [UInt8]?) { (self.path, self.content) = (path, content) }

    /// For messages.
    var name: String { path ?? "(in memory)" }

    /// No file of certificates is as long. It keeps a mistaken path (a device, a disk image) from filling the memory.
    private static let longest = 64 << 20

    func load() throws(TLSConfigurationError) -> [UInt8] {
        if let content { return content }
        guard let path else { return [] }
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
