public import ConnectionHandling
import Glibc

/// A socket that a service manager opened and handed to this process (systemd's socket activation, sd_listen_fds(3)).
/// Connections that arrive while the service starts, or starts again, wait in it: none is refused.
public struct ActivatedSocket: Sendable, Equatable {
    /// The caller owns it: give it to ``EventLoop/listen(adopting:limits:options:makeHandler:)``, to an endpoint, or close it.
    public let descriptor: CInt
    /// `FileDescriptorName=` of the socket unit, by default the unit's name; `unknown` where the manager gave none.
    public let name: String
    public let address: SocketAddress
    public let kind: Kind

    public enum Kind: Sendable {
        /// A listening stream socket.
        case stream
        case datagram
        /// Something else: a stream that is connected (`Accept=yes`), a FIFO, a special file.
        case other
    }

    /// A socket of another origin, such as a descriptor that a parent process passed on.
    public init(descriptor: CInt, name: String) {
        self.descriptor = descriptor
        self.name = name
        address = SocketAddress.local(of: descriptor) ?? .unix(path: "")
        switch Self.option(descriptor, SO_TYPE) {
        case CInt(SOCK_STREAM.rawValue) where Self.option(descriptor, SO_ACCEPTCONN) == 1: kind = .stream
        case CInt(SOCK_DGRAM.rawValue): kind = .datagram
        default: kind = .other
        }
    }

    private static func option(_ descriptor: CInt, _ option: CInt) -> CInt? {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(descriptor, SOL_SOCKET, option, &value, &length) == 0 ? value : nil
    }

    /// Takes the sockets that were handed to this process; none if it was started otherwise. The environment that told of
    /// them is removed, so that neither a second call nor a child process takes them for its own: call it before other
    /// threads run.
    ///
    /// - Throws: ``SystemError`` if a descriptor that was announced is not there.
    public static func takeAll() throws(SystemError) -> [ActivatedSocket] {
        defer { for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) } }
        guard let process = environment("LISTEN_PID"), Int32(process) == getpid(),
            let text = environment("LISTEN_FDS"), let count = CInt(text), (1...1_024).contains(count)
        else { return [] }
        let names = environment("LISTEN_FDNAMES")?.split(separator: ":", omittingEmptySubsequences: false) ?? []
        var sockets: [ActivatedSocket] = []
        for index in 0..<count {
            let descriptor = firstDescriptor + index
            guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else {
                throw SystemError("take descriptor \(descriptor), which LISTEN_FDS announces", errno: errno)
            }
            let name = Int(index) < names.count ? String(names[Int(index)]) : "unknown"
            sockets.append(ActivatedSocket(descriptor: descriptor, name: name))
        }
        return sockets
    }

    /// SD_LISTEN_FDS_START.
    private static let firstDescriptor: CInt = 3

    private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
