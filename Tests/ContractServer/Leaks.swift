import ConnectionHandling
import Glibc
import Reactor
import ReactorWire
import TestSupport

/// Makes many connections in this process, which has nothing else to do, ends each in one of the ways that there are,
/// and counts what is left: descriptors and handlers.
final class LeakTest {
    enum Kind: String, CaseIterable { case tcp, unix, adopted, outgoing }

    /// How a connection ends, or who ends it.
    enum Ending: Int, CaseIterable {
        case handlerCloses, handlerLingers, handlerHalfCloses, handlerAborts
        case peerCloses, peerHalfCloses, peerResets
        case idle, writeStall, peerResetsWithOutputWaiting
    }

    private let loop: EventLoop
    private let kind: Kind
    private let shared = SharedBytes(copying: [UInt8](repeating: 0x73, count: 100_000).span.bytes)
    private let file: OpenFile
    private var alive = 0
    private var ended = 0
    private var endings: [Ending: Int] = [:]
    /// Sockets of the peers of this round.
    private var peers: [CInt] = []

    init(_ kind: Kind) throws {
        loop = try EventLoop()
        self.kind = kind
        file = try temporaryFile([UInt8](repeating: 0x66, count: 100_000))
    }

    private struct Handler: ConnectionHandler {
        let test: LeakTest
        let life: Life

        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
            guard let ending = Ending(rawValue: Int(bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self))) else { return 1 }
            test.perform(ending, &connection)
            return bytes.byteCount
        }

        mutating func closed(_ reason: CloseReason) { test.ended += 1 }
    }

    private final class Life {
        let test: LeakTest
        init(_ test: LeakTest) {
            self.test = test
            test.alive += 1
        }
        deinit { test.alive -= 1 }
    }

    private func makeHandler() -> Handler { Handler(test: self, life: Life(self)) }

    private func perform(_ ending: Ending, _ connection: inout Connection) {
        switch ending {
        case .handlerCloses: connection.write("bye"); connection.close()
        case .handlerLingers: connection.write("refused"); connection.close(.lingering)
        case .handlerHalfCloses: connection.write("half"); connection.finishOutput()
        case .handlerAborts: fill(&connection); connection.close(.aborting)
        case .writeStall, .peerResetsWithOutputWaiting: fill(&connection)
        case .idle, .peerCloses, .peerHalfCloses, .peerResets: break
        }
    }

    /// Output of every kind, more than the sockets take.
    private func fill(_ connection: inout Connection) {
        connection.write("front")
        for _ in 0..<40 { connection.write(shared) }
        connection.write(file, count: 100_000)
        connection.write([1].span.bytes, passing: Descriptor(owning: open("/dev/null", O_RDONLY | O_CLOEXEC)))
        connection.write("back")
    }

    private func peerEnds(_ ending: Ending, _ peer: CInt) {
        switch ending {
        case .peerHalfCloses, .handlerHalfCloses: shutdown(peer, CInt(SHUT_WR))
        case .peerResets, .peerResetsWithOutputWaiting: resetOnClose(peer); fallthrough
        case .peerCloses, .handlerLingers: close(peer)
        default: peers.append(peer)
            return
        }
        if ending == .peerHalfCloses || ending == .handlerHalfCloses { peers.append(peer) }
    }

    // MARK: Rounds

    private static let limits: ConnectionLimits = {
        var limits = ConnectionLimits()
        limits.idle = .milliseconds(40)
        limits.writeStall = .milliseconds(40)
        limits.linger = .milliseconds(40)
        return limits
    }()

    /// The test is gone, with its loop, when this returns: what is left then would be a leak.
    static func leftOver(_ kind: Kind, _ count: Int) throws -> String? {
        let test = try LeakTest(kind)
        // Its callbacks hold the test, and so the loop.
        defer { test.loop.close() }
        return try test.run(count)
    }

    /// Returns what is left over, as a line; nil if nothing is.
    private func run(_ count: Int) throws -> String? {
        let path = "/tmp/reactor-leaks-\(getpid()).sock"
        let address: SocketAddress = kind == .unix ? .unix(path: path) : .loopback(port: 0)
        let listener = kind == .tcp || kind == .unix ? try loop.listen(on: address, limits: Self.limits) { [self] in makeHandler() } : nil
        let accepting = try ListeningSocket(.loopback(port: 0))
        let (outgoing, acceptor) = (accepting.address, accepting.descriptor.number)
        func round(_ size: Int) throws {
            let goal = ended + size
            for index in 0..<size {
                let ending = Ending.allCases[index % Ending.allCases.count]
                let peer: CInt
                switch kind {
                case .tcp, .unix: peer = try connected(to: listener?.address ?? address)
                case .adopted: peer = try adopt()
                case .outgoing: peer = try connectOut(outgoing, acceptor)
                }
                var command = UInt8(ending.rawValue)
                send(peer, &command, 1, CInt(MSG_NOSIGNAL))
                // Now and then the peer ends only once the server has done its part.
                if index % 3 == 0 { turn(until: { false }, rounds: 1) }
                peerEnds(ending, peer)
            }
            turn(until: { [self] in ended >= goal }, rounds: 5_000)
            for peer in peers { close(peer) }
            peers = []
            turn(until: { [self] in alive == 0 }, rounds: 100)
        }
        try round(100)
        let before = openDescriptors
        for _ in 0..<count / 500 { try round(500) }
        let after = openDescriptors
        listener?.stop()
        if before == after && alive == 0 && ended == 100 + count / 500 * 500 { return nil }
        return "\(kind): \(before) descriptors before, \(after) after; \(alive) handlers alive; \(ended) ended"
    }

    private func turn(until condition: @escaping () -> Bool, rounds most: Int) {
        var rounds = 0
        let timer = loop.every(.milliseconds(1)) { [loop] in
            rounds += 1
            if condition() || rounds >= most { loop.stop() }
        }
        loop.run()
        timer.cancel()
    }

    // MARK: Peers

    private func connected(to address: SocketAddress) throws(SystemError) -> CInt {
        let peer = socket(address.family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard peer >= 0, address.withSystemAddress({ connect(peer, $0, $1) }) == 0 else {
            throw SystemError("connect to \(address)", errno: errno)
        }
        return peer
    }

    private func adopt() throws(SystemError) -> CInt {
        var pair: [CInt] = [0, 0]
        guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &pair) == 0 else { throw SystemError("make a pair", errno: errno) }
        try loop.adopt(Descriptor(owning: pair[0]), limits: Self.limits, makeHandler())
        return pair[1]
    }

    private func connectOut(_ address: SocketAddress, _ accepting: CInt) throws(SystemError) -> CInt {
        // One whose peer resets it before the loop has looked fails instead.
        loop.connect(to: address, limits: Self.limits, onFailure: { [self] _ in ended += 1 }, makeHandler: { [self] in makeHandler() })
        var entry = pollfd(fd: accepting, events: Int16(POLLIN), revents: 0)
        poll(&entry, 1, 5_000)
        let peer = accept(accepting, nil, nil)
        guard peer >= 0 else { throw SystemError("accept", errno: errno) }
        return peer
    }
}
