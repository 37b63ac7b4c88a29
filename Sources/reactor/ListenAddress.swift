import ConnectionHandling

/// What stands behind `--listen`.
enum ListenAddress: CustomStringConvertible {
    case stream(SocketAddress)
    case datagrams(SocketAddress)
    /// An open socket that this process was started with.
    case descriptor(CInt)
    /// The sockets that a service manager handed over: all, or those of one name.
    case activated(name: String?)

    /// Reads what ``SocketAddress/init(parsing:)`` does, `udp:host:port` and `unix-dgram:/path` for datagrams, `fd:N` and
    /// `systemd` or `systemd:NAME` for sockets that are open already.
    init(parsing text: String) throws(SocketAddressError) {
        if let rest = text.behind("udp:") {
            // What stands behind `udp:` is a host and a port: a Unix path is refused as what it is not.
            self = .datagrams(try SocketAddress(parsing: rest.hasPrefix("unix:") ? text : rest))
        } else if let rest = text.behind("unix-dgram:") {
            self = .datagrams(try SocketAddress(parsing: "unix:" + rest))
        } else if let number = text.behind("fd:").flatMap(CInt.init), number >= 0 {
            self = .descriptor(number)
        } else if text == "systemd" {
            self = .activated(name: nil)
        } else if let name = text.behind("systemd:"), !name.isEmpty {
            self = .activated(name: name)
        } else {
            self = .stream(try SocketAddress(parsing: text))
        }
    }

    var description: String {
        switch self {
        case .stream(let address): "\(address)"
        case .datagrams(let address): address.isUnix ? "unix-dgram:\(address.host)" : "udp:\(address)"
        case .descriptor(let number): "fd:\(number)"
        case .activated(let name): name.map { "systemd:\($0)" } ?? "systemd"
        }
    }
}

extension String {
    fileprivate func behind(_ prefix: String) -> String? { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil }
}
