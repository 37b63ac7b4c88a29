public import ConnectionHandling
import Glibc
public import Reactor

/// A plain blocking datagram client with a time-out, for talking to servers under test.
public final class TestDatagramClient {
    public let fd: CInt

    /// Connected: only `address` is heard, as by a program that checks who answers.
    public init(_ address: SocketAddress, seconds: Int = 10) throws(SystemError) {
        fd = socket(address.family, CInt(SOCK_DGRAM.rawValue), 0)
        guard fd >= 0 else { throw SystemError("make a socket", errno: errno) }
        var timeout = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var size: CInt = 1 << 20
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        // A Unix-domain socket without a name can't be answered: the system chooses an abstract one.
        if address.isUnix {
            var nameless = sockaddr_storage()
            nameless.ss_family = sa_family_t(AF_UNIX)
            _ = withUnsafePointer(to: &nameless) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(fd, $0, socklen_t(MemoryLayout<sa_family_t>.size)) }
            }
        }
        guard address.withSystemAddress({ connect(fd, $0, $1) }) == 0 else {
            throw SystemError("connect to \(address)", errno: errno)
        }
    }

    deinit { close(fd) }

    public var localAddress: SocketAddress { SocketAddress.local(of: fd) ?? .unix(path: "") }

    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { Glibc.send(fd, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) } == bytes.count
    }

    @discardableResult
    public func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// The next datagram; nil if none comes in time.
    public func receiveBytes() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 300_000)
        let count = recv(fd, &bytes, bytes.count, 0)
        return count < 0 ? nil : Array(bytes[..<count])
    }

    public func receive() -> String? { receiveBytes().map { String(decoding: $0, as: UTF8.self) } }

    /// Sends `text`, and gives the datagram that comes next.
    public func ask(_ text: String) -> String? { send(text) ? receive() : nil }
}
