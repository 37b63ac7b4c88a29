package import ConnectionHandling
import Glibc

/// A bound, listening, non-blocking stream socket; the descriptor is closed, and a Unix path removed, by its owner.
package struct ListeningSocket: ~Copyable {
    package let descriptor: Descriptor
    /// Where it listens, with the port that the system chose when 0 was asked for.
    package let address: SocketAddress
    /// Somebody else holds it too, such as a service manager, and has it served again: its path stays, and so do the
    /// connections that wait in it.
    package var isLent = false

    package init(_ address: SocketAddress, _ options: ListenOptions = .default) throws(SystemError) {
        if case .unix(let path) = address, !address.isAbstract { try Self.removeStaleSocket(path, type: CInt(SOCK_STREAM.rawValue)) }
        let operation = "listen on \(address)"
        func fail(_ error: CInt = errno) -> SystemError { SystemError(operation, errno: error, address: address) }
        guard address.fits else { throw fail(ENAMETOOLONG) }
        let number = socket(address.family, CInt(SOCK_STREAM.rawValue) | Self.flags, 0)
        guard number >= 0 else { throw fail() }
        let descriptor = Descriptor(owning: number)
        let setter = OptionSetter(number: number, operation: operation, address: address)
        // Linux hands these down to every accepted socket, which saves calls for each.
        try setter.set(options.stream, isTCP: !address.isUnix)
        if !address.isUnix {
            try setter.set(SOL_SOCKET, SO_REUSEADDR, CInt(1))
            if options.reusesPort { try setter.set(SOL_SOCKET, SO_REUSEPORT, CInt(1)) }
            if case .ipv6 = address { try setter.set(CInt(IPPROTO_IPV6), IPV6_V6ONLY, CInt(options.dualStack ? 0 : 1)) }
            if let wait = options.deferAccept {
                try setter.set(CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT, max(wait.wholeSecondsRoundedUp, 1))
            }
            if options.fastOpen > 0 { try setter.set(CInt(IPPROTO_TCP), TCP_FASTOPEN, CInt(clamping: options.fastOpen)) }
        }
        guard address.withSystemAddress({ bind(number, $0, $1) }) == 0 else { throw fail() }
        // Before anybody can connect: that needs listen(2).
        if let mode = options.fileMode, case .unix(let path) = address, !address.isAbstract, chmod(path, mode) != 0 {
            throw fail()
        }
        guard listen(number, CInt(clamping: options.backlog)) == 0 else { throw fail() }
        self.address = SocketAddress.local(of: number) ?? address
        self.descriptor = descriptor
    }

    /// `count` sockets on one address, for as many loops.
    package static func sharing(
        _ address: SocketAddress, _ options: ListenOptions, count: Int
    ) throws(SystemError) -> [CInt] {
        if count > 1 && address.isUnix { return try ListeningSocket(address, options).copies(count) }
        return try socketsSharingPort(address, count: count, reusesPort: options.reusesPort) {
            (address, shared) throws(SystemError) in
            var options = options
            options.reusesPort = shared
            return try ListeningSocket(address, options).release()
        }
    }

    /// This socket `count` times, for as many loops: where the kernel cannot spread connections over several.
    package consuming func copies(_ count: Int) throws(SystemError) -> [CInt] {
        var copies: [CInt] = []
        for _ in 1..<max(count, 1) {
            let copy = fcntl(descriptor.number, F_DUPFD_CLOEXEC, 3)
            guard copy >= 0 else {
                let error = SystemError("listen on \(address)", errno: errno, address: address)
                for copy in copies { close(copy) }
                throw error
            }
            copies.append(copy)
        }
        return [release()] + copies
    }

    /// Adopts a socket that already listens, as a service manager hands it over.
    package init(adopting descriptor: consuming Descriptor) throws(SystemError) {
        let number = descriptor.number
        let operation = "adopt descriptor \(number) as a listening socket"
        var listens: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        guard getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 else {
            throw SystemError(operation, errno: errno)
        }
        guard listens != 0 else { throw SystemError(operation, errno: EINVAL) }
        try setNonBlocking(number, true)
        address = SocketAddress.local(of: number) ?? .unix(path: "")
        self.descriptor = descriptor
        isLent = true
    }

    /// The descriptor, which the caller now owns.
    package consuming func release() -> CInt { descriptor.release() }

    /// Nobody shall connect to it any more; a server that starts meanwhile may bind the path anew, and must keep it.
    package func removePath() {
        if !isLent, case .unix(let path) = address, !address.isAbstract { unlink(path) }
    }

    static let flags = CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)

    /// A path left behind by a server that was killed answers nobody; one in use is left alone, and bind then fails.
    ///
    /// - Parameter type: of the sockets that use the path, `SOCK_STREAM` or `SOCK_DGRAM`.
    static func removeStaleSocket(_ path: String, type: CInt) throws(SystemError) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
        let number = socket(AF_UNIX, type | flags, 0)
        guard number >= 0 else { throw SystemError("listen on unix:\(path)", errno: errno) }
        let probe = Descriptor(owning: number)
        let answered = SocketAddress.unix(path: path).withSystemAddress { connect(probe.number, $0, $1) } == 0
        if !answered && errno == ECONNREFUSED { unlink(path) }
    }
}

/// Sets or clears O_NONBLOCK, and sets close-on-exec.
package func setNonBlocking(_ number: CInt, _ nonBlocking: Bool) throws(SystemError) {
    let flags = fcntl(number, F_GETFL)
    let wanted = nonBlocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK
    guard flags >= 0, flags == wanted || fcntl(number, F_SETFL, wanted) == 0, fcntl(number, F_SETFD, FD_CLOEXEC) == 0 else {
        throw SystemError("use descriptor \(number)", errno: errno)
    }
}

/// `count` sockets bound to one address. With more than one they share the port (SO_REUSEPORT); that alone would let a
/// second server bind a port already in use, so an ordinary bind is tried first.
///
/// - Parameter open: makes a socket, sharing the port or not.
func socketsSharingPort(
    _ address: SocketAddress, count: Int, reusesPort: Bool,
    open: (SocketAddress, _ shared: Bool) throws(SystemError) -> CInt
) throws(SystemError) -> [CInt] {
    if count <= 1 { return [try open(address, reusesPort)] }
    var bound = address
    if !reusesPort {
        let probe = Descriptor(owning: try open(address, false))
        bound = .local(of: probe.number) ?? address
    }
    var sockets: [CInt] = []
    do throws(SystemError) {
        for _ in 0..<count {
            sockets.append(try open(bound, true))
            // With port 0, the first one's choice is the others' too.
            bound = .local(of: sockets[0]) ?? bound
        }
    } catch {
        for socket in sockets { close(socket) }
        throw error
    }
    return sockets
}
