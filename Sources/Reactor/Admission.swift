package import ConnectionHandling
import Synchronization

/// How peers are told apart when connections are counted: the IPv4 address, or the IPv6 /64 network that one site has.
package struct PeerKey: Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package init(_ peer: SocketAddress) {
        switch peer.unmapped {
        // No IPv6 unicast address begins like this.
        case .ipv4(let address, _): rawValue = 0xFFFF_FFFF << 32 | UInt64(address)
        // Beside the loopback network ::/64 itself, zero is no peer's.
        case .ipv6(let high, _, _, _): rawValue = high == 0 ? 1 : high
        case .unix: rawValue = 0
        }
    }

    /// Peers on this machine's own sockets, which are not counted.
    package static let uncounted = PeerKey(rawValue: 0)
}

/// How many connections there are, overall and from each address. Shared by the loops or threads that accept for one
/// server.
package final class Admission: Sendable {
    private let maxConnections: Int
    private let maxPerPeer: Int
    private let total = Atomic(0)
    private let perPeer = Mutex<[PeerKey: Int]>([:])

    package init(maxConnections: Int, maxPerPeer: Int) {
        precondition(maxConnections > 0 && maxPerPeer > 0, "a server that admits nobody")
        self.maxConnections = maxConnections
        self.maxPerPeer = maxPerPeer
    }

    package var connections: Int { total.load(ordering: .relaxed) }

    /// Takes a place for the next connection, before it is accepted; false if there is none.
    package func reserve() -> Bool {
        if total.add(1, ordering: .relaxed).newValue <= maxConnections { return true }
        total.subtract(1, ordering: .relaxed)
        return false
    }

    /// Gives a reserved place back.
    package func cancel() { total.subtract(1, ordering: .relaxed) }

    /// Counts the accepted connection; false, and its place is given back, if its peer has too many.
    package func enter(_ peer: PeerKey) -> Bool {
        if peer == .uncounted { return true }
        func raise(_ count: inout Int) -> Bool {
            if count >= maxPerPeer { return false }
            count += 1
            return true
        }
        let entered = perPeer.withLock { raise(&$0[peer, default: 0]) }
        if !entered { cancel() }
        return entered
    }

    /// The connection is over.
    package func leave(_ peer: PeerKey) {
        cancel()
        if peer == .uncounted { return }
        perPeer.withLock { counts in
            guard let index = counts.index(forKey: peer) else { return }
            counts.values[index] -= 1
            if counts.values[index] == 0 { counts.remove(at: index) }
        }
    }
}
