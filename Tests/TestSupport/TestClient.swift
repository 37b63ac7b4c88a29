public import ConnectionHandling
import Glibc
public import Reactor

/// A plain blocking client with time-outs, for talking to servers under test.
public final class TestClient {
    public let fd: CInt

    public init(_ address: SocketAddress, receiveBuffer: CInt? = nil) throws(SystemError) {
        fd = socket(address.family, CInt(SOCK_STREAM.rawValue), 0)
        guard fd >= 0 else { throw SystemError("make a socket", errno: errno) }
        if var size = receiveBuffer { setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size)) }
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        guard address.withSystemAddress({ connect(fd, $0, $1) }) == 0 else {
            throw SystemError("connect to \(address)", errno: errno)
        }
    }

    deinit { close(fd) }

    /// False if the peer no longer takes anything.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.send(fd, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    public func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Whether something has come, or the end.
    public var hasInput: Bool {
        var entry = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0
    }

    public func endOutput() { shutdown(fd, CInt(SHUT_WR)) }

    /// Makes the close that follows a reset.
    public func resetOnClose() { Reactor.resetOnClose(fd) }

    /// What comes until `count` bytes are there, or the peer ends its side, or 20 s pass without any.
    public func receive(count: Int) -> String { String(decoding: receiveBytes(count: count), as: UTF8.self) }

    public func receiveBytes(count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < count {
            let got = recv(fd, &chunk, min(chunk.count, count - bytes.count), 0)
            if got <= 0 { break }
            bytes += chunk[..<got]
        }
        return bytes
    }

    /// Everything up to the peer's end; `reset` if it ended in a reset.
    public func receiveToEnd() -> (text: String, reset: Bool) {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let got = recv(fd, &chunk, chunk.count, 0)
            if got < 0 { return (String(decoding: bytes, as: UTF8.self), errno == ECONNRESET) }
            if got == 0 { return (String(decoding: bytes, as: UTF8.self), false) }
            bytes += chunk[..<got]
        }
    }

    /// Up to and with the first line feed.
    public func receiveLine() -> String { receive(until: 0x0A) }

    /// Up to and with the first `end`.
    public func receive(until end: UInt8) -> String {
        var line = ""
        while true {
            let next = receive(count: 1)
            line += next
            if next.isEmpty || next.utf8.last == end { return line }
        }
    }
}
