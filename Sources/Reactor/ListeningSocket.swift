package import ConnectionHandling
import Glibc

/// A bound, listening, non-blocking stream socket; the descriptor is closed, and a Unix path removed, by its owner.
package struct ListeningSocket: ~Copyable {
    package let descriptor: Descriptor
    /// Where it listens, with the port that the system chose when 0 was asked for.
    package let address: SocketAddress

    /// Connections that may wait to be accepted; the kernel caps it at `net.core.somaxconn`, 4096 on current Linux.
    package static let backlog = 4_096

    /// - Parameter shared: several sockets of this process will be bound to the same port (`SO_REUSEPORT`), and the
    ///   kernel spreads connections over them.
    package init(_ address: SocketAddress, shared: Bool = false) throws(SystemError) {
        if case .unix(let path) = address, !address.isAbstract { try Self.removeStaleSocket(path) }
        let operation = "listen on \(address)"
        guard address.fits else { throw SystemError(operation, errno: ENAMETOOLONG, address: address) }
        let number = socket(address.family, CInt(SOCK_STREAM.rawValue) | Self.flags, 0)
        guard number >= 0 else { throw SystemError(operation, errno: errno, address: address) }
        let descriptor = Descriptor(owning: number)
        if !address.isUnix {
            Self.set(number, SOL_SOCKET, SO_REUSEADDR)
            if shared { Self.set(number, SOL_SOCKET, SO_REUSEPORT) }
            // Linux hands this down to every accepted socket, which saves a call for each.
            Self.set(number, CInt(IPPROTO_TCP), TCP_NODELAY)
            // `[::]` means IPv6 only: who wants both families listens on both, and sees both.
            if case .ipv6 = address { Self.set(number, CInt(IPPROTO_IPV6), IPV6_V6ONLY) }
        }
        guard address.withSystemAddress({ bind(number, $0, $1) }) == 0, listen(number, CInt(Self.backlog)) == 0 else {
            throw SystemError(operation, errno: errno, address: address)
        }
        self.address = Self.localAddress(number) ?? address
        self.descriptor = descriptor
    }

    /// `count` sockets on one address. With more than one they share the port; that alone would let a second server
    /// bind a port already in use, so an ordinary bind is tried first.
    package static func sharing(_ address: SocketAddress, count: Int) throws(SystemError) -> [CInt] {
        if count <= 1 || address.isUnix { return [try ListeningSocket(address).release()] }
        let probe = try ListeningSocket(address)
        let bound = probe.address
        _ = consume probe
        var sockets: [CInt] = []
        do throws(SystemError) {
            for _ in 0..<count { sockets.append(try ListeningSocket(bound, shared: true).release()) }
        } catch {
            for socket in sockets { _ = Descriptor(owning: socket) }
            throw error
        }
        return sockets
    }

    /// Adopts a socket that already listens.
    package init(adopting number: CInt) {
        descriptor = Descriptor(owning: number)
        address = Self.localAddress(number) ?? .unix(path: "")
    }

    /// The descriptor, which the caller now owns.
    private consuming func release() throws(SystemError) -> CInt {
        let copied = fcntl(descriptor.number, F_DUPFD_CLOEXEC, 3)
        guard copied >= 0 else { throw SystemError("listen on \(address)", errno: errno) }
        return copied
    }

    package static func localAddress(_ number: CInt) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &length) }
        }
        return result == 0 ? SocketAddress(system: storage, length: length) : nil
    }

    static let flags = CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)

    /// Turns a socket option on.
    static func set(_ number: CInt, _ level: CInt, _ option: CInt) {
        var one: CInt = 1
        setsockopt(number, level, option, &one, socklen_t(MemoryLayout<CInt>.size))
    }

    /// A path left behind by a server that was killed answers nobody; one in use is left alone, and bind then fails.
    private static func removeStaleSocket(_ path: String) throws(SystemError) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
        let number = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | flags, 0)
        guard number >= 0 else { throw SystemError("listen on unix:\(path)", errno: errno) }
        let probe = Descriptor(owning: number)
        let answered = SocketAddress.unix(path: path).withSystemAddress { connect(probe.number, $0, $1) } == 0
        if !answered && errno == ECONNREFUSED { unlink(path) }
    }
}
