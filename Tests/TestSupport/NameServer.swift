public import ConnectionHandling
import Glibc
public import Reactor
public import ReactorDNS
import ReactorWire
import Synchronization

/// What a name server under test does with a query.
public enum NameServerReply: Sendable {
    case message(DNSMessage)
    /// As it stands: one datagram for each, or one message over TCP.
    case bytes([[UInt8]])
    /// Behind what a forger would send from another port.
    case forged(DNSMessage, behind: DNSMessage)
    /// None: the query is lost.
    case nothing
    /// Over TCP the connection is closed; over UDP as `nothing`.
    case hangUp
}

/// A name server on a loop, UDP and TCP on one port of 127.0.0.1, which answers as it is told. It counts what it is asked.
public final class NameServer {
    public typealias Answering = @Sendable (_ query: DNSMessage, _ isTCP: Bool) -> NameServerReply

    public let address: SocketAddress
    public let counts = NameServerCounts()
    private let datagrams: DatagramBinding<NameServerDatagrams>

    public init(on loop: EventLoop, answer: @escaping Answering) throws {
        let counts = counts
        let forger = try TestDatagramClient(.loopback(port: 9))
        var options = DatagramOptions()
        options.receiveBuffer = 1 << 20
        // Somebody else may have the port that UDP was given.
        for attempt in 0... {
            let datagrams = try loop.bind(to: .loopback(port: 0), options: options) {
                NameServerDatagrams(answer: answer, counts: counts, forger: forger)
            }
            do {
                _ = try loop.listen(on: datagrams.address) { NameServerStream(answer: answer, counts: counts) }
                address = datagrams.address
                self.datagrams = datagrams
                return
            } catch {
                datagrams.close()
                if attempt == 20 { throw error }
            }
        }
        throw SystemError("find a port", errno: EADDRINUSE)
    }
}

public final class NameServerCounts: Sendable {
    private let state = Mutex((datagrams: 0, streams: 0, peers: Set<SocketAddress>()))
    public var datagrams: Int { state.withLock { $0.datagrams } }
    public var streams: Int { state.withLock { $0.streams } }
    public var all: Int { state.withLock { $0.datagrams + $0.streams } }
    /// Where the datagrams came from.
    public var peers: Int { state.withLock { $0.peers.count } }

    func countDatagram(_ peer: SocketAddress) {
        state.withLock {
            $0.datagrams += 1
            $0.peers.insert(peer)
        }
    }
    func countStream() { state.withLock { $0.streams += 1 } }
}

public struct NameServerDatagrams: DatagramHandler {
    let answer: NameServer.Answering
    let counts: NameServerCounts
    let forger: TestDatagramClient

    public mutating func received(_ payload: RawSpan, from origin: DatagramOrigin, on socket: inout DatagramSocket) {
        counts.countDatagram(origin.peer)
        guard let query = try? DNSMessage(reading: payload) else { return }
        switch answer(query, false) {
        case .message(let message): socket.send(message.bytes.span.bytes, to: origin)
        case .bytes(let datagrams): for bytes in datagrams { socket.send(bytes.span.bytes, to: origin) }
        case .forged(let forgery, let message):
            forgery.bytes.withUnsafeBytes { bytes in
                _ = origin.peer.withSystemAddress { sendto(forger.fd, bytes.baseAddress, bytes.count, 0, $0, $1) }
            }
            socket.send(message.bytes.span.bytes, to: origin)
        case .nothing, .hangUp: break
        }
    }
}

private struct NameServerStream: ConnectionHandler {
    let answer: NameServer.Answering
    let counts: NameServerCounts

    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        guard let length = bytes.integer(at: 0, as: UInt16.self), bytes.byteCount >= 2 + Int(length) else { return 0 }
        counts.countStream()
        guard let query = try? DNSMessage(reading: bytes.slice(2..<2 + Int(length))) else {
            connection.close()
            return bytes.byteCount
        }
        switch answer(query, true) {
        case .message(let message), .forged(_, let message): write(message.bytes, on: &connection)
        case .bytes(let messages): for bytes in messages { write(bytes, on: &connection) }
        case .nothing: break
        case .hangUp: connection.close(.aborting)
        }
        return 2 + Int(length)
    }

    private func write(_ bytes: [UInt8], on connection: inout Connection) {
        connection.output.append(integer: UInt16(bytes.count))
        connection.output.append(bytes)
    }
}

extension DNSMessage {
    /// As on the wire.
    public var bytes: [UInt8] {
        var queue = ByteQueue()
        write(to: &queue)
        return queue.bytes.array
    }

    /// A response to this query with these records.
    public func answered(_ data: RecordData..., timeToLive: UInt32 = 300) -> DNSMessage {
        var response = DNSMessage(answering: self)
        guard let name = questions.first?.name else { return response }
        response.answers = data.map { ResourceRecord(name: name, timeToLive: timeToLive, data: $0) }
        return response
    }

    /// A response to this query with an SOA record of `test.`, if `negative` says for how long it holds.
    public func denied(_ code: ResponseCode, negative: UInt32? = nil) -> DNSMessage {
        var response = DNSMessage(answering: self, code)
        guard let negative, let zone = try? DomainName(parsing: "test") else { return response }
        let soa = StartOfAuthority(
            primary: zone, mailbox: zone, serial: 1, refresh: 1, retry: 1, expire: 1, minimum: negative)
        response.authorities = [ResourceRecord(name: zone, timeToLive: 86_400, data: .soa(soa))]
        return response
    }
}

/// A ``NameServer`` with a loop and a thread of its own, which serves until this goes.
public final class ThreadedNameServer: Sendable {
    public let address: SocketAddress
    public let counts: NameServerCounts
    private let thread: LoopThread<(SocketAddress, NameServerCounts)>

    public init(answer: @escaping NameServer.Answering) throws {
        thread = try LoopThread { loop in
            let server = try NameServer(on: loop, answer: answer)
            return (server.address, server.counts)
        }
        (address, counts) = thread.made
    }
}
