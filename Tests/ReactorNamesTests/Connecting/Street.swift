import ConnectionHandling
import Foundation
import Glibc
import Reactor
import ReactorDNS
import ReactorNames
import TestSupport

/// Addresses of this machine with one port: some serve, some refuse, some never answer.
final class Street {
    enum House {
        case serves, refuses, neverAnswers

        /// Nil: nobody listens.
        var backlog: CInt? {
            switch self {
            case .serves: 128
            case .refuses: nil
            case .neverAnswers: 0
            }
        }
    }

    let port: UInt16
    /// 127.0.0.2 and on, as the houses were given.
    let addresses: [SocketAddress]
    private let sockets: [BoundSocket]
    private let fillers: [Filler]

    init(_ houses: House...) throws {
        var sockets: [BoundSocket]?
        // The first finds a port that is free; where another has it taken, another port is tried.
        for _ in 0..<20 where sockets == nil { sockets = try? Self.bind(houses) }
        self.sockets = try sockets ?? Self.bind(houses)
        addresses = self.sockets.map(\.address)
        port = addresses[0].port ?? 0
        // A full backlog: what comes next is dropped.
        fillers = try zip(houses, addresses).filter { $0.0 == .neverAnswers }.flatMap { _, address in
            try (0..<4).map { _ in try Filler(address) }
        }
    }

    private static func bind(_ houses: [House]) throws -> [BoundSocket] {
        var sockets: [BoundSocket] = []
        for (index, house) in houses.enumerated() {
            let port = sockets.first?.address.port ?? 0
            sockets.append(try BoundSocket(address(index, port: port), backlog: house.backlog))
        }
        return sockets
    }

    private static func address(_ index: Int, port: UInt16) -> SocketAddress { .ipv4(0x7F00_0002 + UInt32(index), port: port) }

    func records(_ name: DomainName = .root) -> [ResourceRecord] {
        addresses.compactMap { IPAddress(parsing: $0.host) }.map { ResourceRecord(name: name, timeToLive: 60, data: .address($0)) }
    }

    /// Sockets on their way to one of the addresses, or there; the fillers not among them. A socket that is on its way has
    /// no peer yet that could be asked for, so the system's table is read.
    var openAttempts: Int {
        let count = Self.table().split(separator: "\n").dropFirst().count { line in
            let words = line.split(separator: " ")
            guard words.count > 3, ["01", "02"].contains(words[3]) else { return false }
            return remotes.contains(String(words[2]))
        }
        return count - fillers.count
    }

    /// In as few reads as may be: the table may change between two, and show a socket twice, or not at all.
    private static func table() -> String {
        let file = open("/proc/net/tcp", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(file, &chunk, chunk.count)
            if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }

    /// Looks again for a while: what is left open stays open.
    func openAttempts(become count: Int) -> Bool {
        for _ in 0..<200 {
            if openAttempts == count { return true }
            usleep(5_000)
        }
        return false
    }

    /// As in `/proc/net/tcp`: the address in this machine's order, in hexadecimal.
    private var remotes: Set<String> {
        Set(addresses.compactMap { address in
            guard case .ipv4(let number, let port) = address else { return nil }
            return String(format: "%08X:%04X", number.bigEndian, port)
        })
    }

    /// Bound, so that nobody else has the port; listening or not.
    private final class BoundSocket {
        let descriptor: Descriptor
        let address: SocketAddress

        init(_ wanted: SocketAddress, backlog: CInt?) throws(SystemError) {
            let number = socket(wanted.family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
            guard number >= 0 else { throw SystemError("make a socket", errno: errno) }
            descriptor = Descriptor(owning: number)
            guard wanted.withSystemAddress({ Glibc.bind(number, $0, $1) }) == 0, backlog.map({ listen(number, $0) == 0 }) ?? true,
                let address = SocketAddress.local(of: number)
            else { throw SystemError("listen on \(wanted)", errno: errno) }
            self.address = address
        }
    }

    private final class Filler {
        private let socket: ConnectingSocket
        init(_ address: SocketAddress) throws(SystemError) {
            socket = try ConnectingSocket(address, .default)
            _ = socket.connect()
        }
    }
}
