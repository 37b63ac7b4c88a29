package import Glibc

extension SocketAddress {
    package var family: CInt {
        switch self {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        case .unix: AF_UNIX
        }
    }

    /// What `sun_path` holds (unix(7)): 108 bytes, of which a path's final NUL is one, and an abstract name's first.
    static let longestPath = 107
    static let longestAbstractName = 108

    /// Whether the system can represent it: parsing refuses paths that are too long, code may still make one.
    package var fits: Bool {
        guard case .unix(let path) = self else { return true }
        return path.utf8.count <= (isAbstract ? Self.longestAbstractName : Self.longestPath)
    }

    /// Calls `body` with the address as the system wants it.
    package func withSystemAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var storage = sockaddr_storage()
        let length = withUnsafeMutableBytes(of: &storage) { bytes -> Int in
            switch self {
            case .ipv4(let address, let port):
                var system = sockaddr_in()
                system.sin_family = sa_family_t(AF_INET)
                system.sin_port = port.bigEndian
                system.sin_addr.s_addr = address.bigEndian
                bytes.storeBytes(of: system, as: sockaddr_in.self)
                return MemoryLayout<sockaddr_in>.size
            case .ipv6(let high, let low, let port, let scope):
                var system = sockaddr_in6()
                system.sin6_family = sa_family_t(AF_INET6)
                system.sin6_port = port.bigEndian
                system.sin6_scope_id = scope
                withUnsafeMutableBytes(of: &system.sin6_addr) { address in
                    address.storeBytes(of: high.bigEndian, as: UInt64.self)
                    address.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
                }
                bytes.storeBytes(of: system, as: sockaddr_in6.self)
                return MemoryLayout<sockaddr_in6>.size
            case .unix(let path):
                bytes.storeBytes(of: sa_family_t(AF_UNIX), as: sa_family_t.self)
                let text = Array(path.utf8.prefix(isAbstract ? Self.longestAbstractName : Self.longestPath))
                let offset = MemoryLayout<sa_family_t>.size
                for (index, byte) in text.enumerated() { bytes[offset + index] = byte }
                // An abstract name ends where the length says, a path at a NUL that the length counts.
                return offset + text.count + (isAbstract ? 0 : 1)
            }
        }
        return withUnsafePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(length)) }
        }
    }

    /// What the socket is bound to; nil if it is no socket.
    package static func local(of descriptor: CInt) -> SocketAddress? { ask { getsockname(descriptor, $0, $1) } }

    /// What the socket is connected to; nil if it is not connected.
    package static func peer(of descriptor: CInt) -> SocketAddress? { ask { getpeername(descriptor, $0, $1) } }

    private static func ask(
        _ question: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt
    ) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { question($0, &length) }
        }
        return result == 0 ? SocketAddress(system: storage, length: length) : nil
    }

    /// The address that the system filled in.
    package init(system storage: borrowing sockaddr_storage, length: socklen_t) {
        let copy = copy storage
        self = withUnsafeBytes(of: copy) { bytes in
            switch CInt(copy.ss_family) {
            case AF_INET:
                let system = bytes.loadUnaligned(as: sockaddr_in.self)
                return .ipv4(UInt32(bigEndian: system.sin_addr.s_addr), port: UInt16(bigEndian: system.sin_port))
            case AF_INET6:
                let system = bytes.loadUnaligned(as: sockaddr_in6.self)
                return withUnsafeBytes(of: system.sin6_addr) { address in
                    .ipv6(
                        high: UInt64(bigEndian: address.loadUnaligned(as: UInt64.self)),
                        low: UInt64(bigEndian: address.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                        port: UInt16(bigEndian: system.sin6_port), scope: system.sin6_scope_id)
                }
            default:
                let offset = MemoryLayout<sa_family_t>.size
                guard Int(length) > offset else { return .unix(path: "") }
                let name = bytes[offset..<min(Int(length), bytes.count)]
                let path = name.first == 0 ? name[...] : name.prefix { $0 != 0 }
                return .unix(path: String(decoding: path, as: UTF8.self))
            }
        }
    }
}
