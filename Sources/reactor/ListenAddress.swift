import ConnectionHandling

/// An address on the command line, with what is listened for there.
struct ListenAddress: CustomStringConvertible {
    enum Kind { case stream, datagrams }

    let kind: Kind
    let address: SocketAddress

    /// Reads what ``SocketAddress/init(parsing:)`` does, and `udp:host:port` and `unix-dgram:/path` for datagrams.
    init(parsing text: String) throws(SocketAddressError) {
        if text.hasPrefix("udp:") {
            kind = .datagrams
            let rest = String(text.dropFirst("udp:".count))
            // What stands behind `udp:` is a host and a port: a Unix path is refused as what it is not.
            address = try SocketAddress(parsing: rest.hasPrefix("unix:") ? text : rest)
        } else if text.hasPrefix("unix-dgram:") {
            kind = .datagrams
            address = try SocketAddress(parsing: "unix:" + text.dropFirst("unix-dgram:".count))
        } else {
            kind = .stream
            address = try SocketAddress(parsing: text)
        }
    }

    var description: String {
        switch kind {
        case .stream: "\(address)"
        case .datagrams: address.isUnix ? "unix-dgram:\(address.host)" : "udp:\(address)"
        }
    }

    /// The scheme for the line that says where a server listens: `echo`, `echo+udp`, `echo+unix-dgram`.
    func scheme(_ name: String) -> String {
        switch kind {
        case .stream: name
        case .datagrams: name + (address.isUnix ? "+unix-dgram" : "+udp")
        }
    }
}
