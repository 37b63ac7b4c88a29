import Glibc

/// A datagram that did not get where it was sent: the system refused it, or a host on the way said so by ICMP.
///
/// RFC 1122 section 4.1.3.3: UDP passes to the application all ICMP errors that it receives.
public struct DatagramFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// What the system makes of it: `EMSGSIZE` for a datagram that is too long, `ECONNREFUSED` for a port that nobody
    /// listens on. `EAGAIN` if the queue of a Unix-domain receiver was full.
    public let errno: Int32
    /// Where the datagram was to go; nil where the system does not say.
    public let destination: SocketAddress?
    /// What was said by ICMP; nil if the failure is this machine's own.
    public let icmp: ICMPError?

    package init(errno: Int32, destination: SocketAddress?, icmp: ICMPError? = nil) {
        self.errno = errno
        self.destination = destination
        self.icmp = icmp
    }

    public var description: String {
        let target = destination.map { "to \($0)" } ?? "on a socket"
        let said = icmp.map { ", says \($0)" } ?? ""
        return "cannot send \(target): \(String(cString: strerror(errno)))\(said)"
    }
}

/// An ICMP error message (RFC 792, RFC 4443).
public struct ICMPError: Equatable, Sendable, CustomStringConvertible {
    /// ICMPv6; otherwise ICMP, for IPv4.
    public let isIPv6: Bool
    public let type: UInt8
    public let code: UInt8
    /// The size that the way would have taken, where that was the reason: the next hop's MTU, in bytes.
    public let mtu: UInt32?
    /// The host that reports it.
    public let sender: SocketAddress?

    package init(isIPv6: Bool, type: UInt8, code: UInt8, mtu: UInt32? = nil, sender: SocketAddress? = nil) {
        self.isIPv6 = isIPv6
        self.type = type
        self.code = code
        self.mtu = mtu
        self.sender = sender
    }

    /// Nobody listens on the port: type 3 code 3, in ICMPv6 type 1 code 4.
    public var isPortUnreachable: Bool { isIPv6 ? type == 1 && code == 4 : type == 3 && code == 3 }

    public var description: String {
        "\(sender?.host ?? "a host on the way") by \(isIPv6 ? "ICMPv6" : "ICMP") type \(type) code \(code)"
    }
}
