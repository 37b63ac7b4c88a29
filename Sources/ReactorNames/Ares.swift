import CCAres
import ConnectionHandling
import Glibc
import Reactor

/// What c-ares wants set up.
enum Ares {
    static let noSocket: CInt = -1

    /// Once for the process: its counter is not safe between threads.
    private static let isReady = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS

    /// A channel that reads nothing of the system's configuration but `configurationFile`.
    static func makeChannel(
        _ options: inout ares_options, _ mask: CInt, configurationFile: String
    ) throws(SystemError) -> ares_channel {
        guard isReady else { throw SystemError("set up name resolution", errno: ENOMEM) }
        var channel: ares_channel?
        let path = strdup(configurationFile)
        let lookups = strdup("b")
        defer {
            free(path)
            free(lookups)
        }
        options.resolvconf_path = path
        options.lookups = lookups
        let status = ares_init_options(&channel, &options, mask | ARES_OPT_RESOLVCONF | ARES_OPT_LOOKUPS)
        guard status == ARES_SUCCESS, let channel else {
            let code = status == ARES_EFILE ? EACCES : ENOMEM
            throw SystemError("set up name resolution by \(configurationFile)", errno: code)
        }
        return channel
    }

    static func setServer(_ address: SocketAddress, of channel: ares_channel?) throws(SystemError) {
        var node = ares_addr_port_node()
        switch address {
        case .ipv4(let number, let port):
            node.family = AF_INET
            node.addr.addr4.s_addr = number.bigEndian
            node.udp_port = CInt(port)
        case .ipv6(let high, let low, let port, _):
            node.family = AF_INET6
            withUnsafeMutableBytes(of: &node.addr.addr6) { bytes in
                bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
                bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            node.udp_port = CInt(port)
        case .unix:
            throw SystemError("ask the name server \(address)", errno: EINVAL, address: address)
        }
        node.tcp_port = node.udp_port
        guard ares_set_servers_ports(channel, &node) == ARES_SUCCESS else {
            throw SystemError("ask the name server \(address)", errno: ENOMEM, address: address)
        }
    }

    /// The servers that a channel has, with port 53 where none is said.
    static func servers(of channel: ares_channel) -> [SocketAddress] {
        var list: UnsafeMutablePointer<ares_addr_port_node>?
        guard ares_get_servers_ports(channel, &list) == ARES_SUCCESS else { return [] }
        defer { ares_free_data(list) }
        var servers: [SocketAddress] = []
        var next = list
        while let node = next?.pointee {
            let port = node.udp_port > 0 ? UInt16(clamping: node.udp_port) : 53
            if node.family == AF_INET {
                servers.append(.ipv4(UInt32(bigEndian: node.addr.addr4.s_addr), port: port))
            } else if node.family == AF_INET6 {
                servers.append(
                    withUnsafeBytes(of: node.addr.addr6) { bytes in
                        .ipv6(
                            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)), port: port)
                    })
            }
            next = node.next
        }
        return servers
    }
}
