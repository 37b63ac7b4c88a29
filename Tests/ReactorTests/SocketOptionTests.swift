import ConnectionHandling
import Glibc
import TestSupport
import Testing

@testable import Reactor

/// What was asked for is what the kernel has.
@Suite(.timeLimit(.minutes(40))) struct SocketOptionTests {
    private func option(_ number: CInt, _ level: CInt, _ name: CInt) -> CInt {
        var value: CInt = -1
        var length = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(number, level, name, &value, &length) == 0 ? value : -1
    }

    private func lingers(_ number: CInt) -> linger {
        var value = linger()
        var length = socklen_t(MemoryLayout<linger>.size)
        getsockopt(number, SOL_SOCKET, SO_LINGER, &value, &length)
        return value
    }

    private static var asked: StreamOptions {
        var options = StreamOptions()
        options.keepAlive = StreamOptions.KeepAlive(idle: .seconds(33), interval: .milliseconds(4_500), count: 3)
        options.linger = .seconds(7)
        options.sendBuffer = 50_000
        options.receiveBuffer = 40_000
        options.userTimeout = .milliseconds(12_345)
        return options
    }

    private final class Numbers {
        var values: [CInt] = []
    }

    /// Notes the number of its socket.
    private struct Noting: ConnectionHandler {
        let numbers: Numbers
        mutating func connected(on connection: inout Connection) { numbers.values.append(connection.descriptor) }
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
    }

    @Test func streamOptionsAreSetOnBothEnds() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        let numbers = Numbers()
        var listening = ListenOptions()
        listening.stream = Self.asked
        let listener = try loop.listen(on: .loopback(port: 0), options: listening) { Noting(numbers: numbers) }
        var connecting = ConnectOptions()
        connecting.stream = Self.asked
        loop.connect(to: listener.address, options: connecting, onFailure: { Issue.record($0) }) { Noting(numbers: numbers) }
        loop.run { numbers.values.count == 2 }
        try #require(numbers.values.count == 2)
        let tcp = CInt(IPPROTO_TCP)
        for number in numbers.values {
            #expect(option(number, tcp, TCP_NODELAY) == 1)
            #expect(option(number, SOL_SOCKET, SO_KEEPALIVE) == 1)
            #expect(option(number, tcp, TCP_KEEPIDLE) == 33)
            #expect(option(number, tcp, TCP_KEEPINTVL) == 5, "whole seconds, rounded up")
            #expect(option(number, tcp, TCP_KEEPCNT) == 3)
            #expect(option(number, tcp, TCP_USER_TIMEOUT) == 12_345)
            #expect(lingers(number).l_onoff == 0, "a close that waits would hold up the loop")
            // The kernel doubles what is asked for, for its own bookkeeping (socket(7)).
            #expect(option(number, SOL_SOCKET, SO_SNDBUF) == 100_000)
            #expect(option(number, SOL_SOCKET, SO_RCVBUF) == 80_000)
        }
    }

    @Test func theDefaultsAreTheSystemsButForDelay() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        let numbers = Numbers()
        let listener = try loop.listen(on: "127.0.0.1:0") { Noting(numbers: numbers) }
        let client = try TestClient(listener.address)
        loop.run { numbers.values.count == 1 }
        let number = try #require(numbers.values.first)
        #expect(option(number, CInt(IPPROTO_TCP), TCP_NODELAY) == 1)
        #expect(option(number, SOL_SOCKET, SO_KEEPALIVE) == 0)
        #expect(lingers(number).l_onoff == 0)
        withExtendedLifetime(client) {}
    }

    @Test func aUnixSocketsFileHasItsMode() throws {
        let directory = try TemporaryDirectory()
        let loop = try EventLoop()
        defer { loop.close() }
        for mode in [0o600, 0o666, 0o640] as [UInt32] {
            var options = ListenOptions()
            options.fileMode = mode
            let path = "\(directory.path)/\(mode).sock"
            let listener = try loop.listen(on: .unix(path: path), options: options) { EchoHandler() }
            var status = stat()
            #expect(lstat(path, &status) == 0 && status.st_mode & 0o777 == mode)
            listener.stop()
            #expect(lstat(path, &status) != 0, "removed with its listener")
        }
    }

    @Test func oneSocketTakesBothFamiliesOnlyIfAsked() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        final class Peers { var values: [SocketAddress] = [] }
        struct Seeing: ConnectionHandler {
            let peers: Peers
            mutating func connected(on connection: inout Connection) { peers.values.append(connection.peer) }
            mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
        }
        let peers = Peers()
        var options = ListenOptions()
        options.dualStack = true
        let both = try loop.listen(on: .ipv6(high: 0, low: 0, port: 0), options: options) { Seeing(peers: peers) }
        let four = try TestClient(.loopback(port: try #require(both.address.port)))
        loop.run { peers.values.count == 1 }
        guard case .ipv4(0x7F00_0001, _)? = peers.values.first else { throw SystemError("see an IPv4 peer", errno: EINVAL) }
        let six = try loop.listen(on: .ipv6(high: 0, low: 0, port: 0)) { EchoHandler() }
        #expect(throws: SystemError.self) { try TestClient(.loopback(port: try #require(six.address.port))) }
        withExtendedLifetime(four) {}
    }

    @Test func abstractNamesHaveNoFileAndGoWithTheirSocket() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        let address = SocketAddress.unix(path: "\0reactor-test-\(getpid())")
        let listener = try loop.listen(on: address) { EchoHandler() }
        #expect(throws: SystemError.self) { try loop.listen(on: address) { EchoHandler() } }
        #expect(throws: Never.self) { _ = try TestClient(address) }
        listener.stop()
        #expect(throws: SystemError.self) { try TestClient(address) }
        try loop.listen(on: address) { EchoHandler() }.stop()
    }

    @Test func onlyAStaleSocketIsRemoved() throws {
        let directory = try TemporaryDirectory()
        let loop = try EventLoop()
        defer { loop.close() }
        let stale = SocketAddress.unix(path: directory.path + "/stale.sock")
        // Bound and never listened on: what a server that was killed leaves.
        let number = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        #expect(stale.withSystemAddress { bind(number, $0, $1) } == 0)
        close(number)
        let listener = try loop.listen(on: stale) { EchoHandler() }
        #expect(throws: SystemError.self, "it is in use") { try loop.listen(on: stale) { EchoHandler() } }
        #expect(throws: Never.self, "and was left alone") { _ = try TestClient(stale) }
        listener.stop()
        try directory.write("precious", to: "file")
        #expect(throws: SystemError.self) { try loop.listen(on: .unix(path: directory.path + "/file")) { EchoHandler() } }
        #expect(access(directory.path + "/file", F_OK) == 0, "no socket: not ours to remove")
    }

    @Test(arguments: [true, false])
    func aFullBacklogIsWaitedForUntilTheTimeout(_ makesRoom: Bool) throws {
        let directory = try TemporaryDirectory()
        let loop = try EventLoop()
        defer { loop.close() }
        let address = SocketAddress.unix(path: directory.path + "/full.sock")
        var options = ListenOptions()
        options.backlog = 1
        let listening = try ListeningSocket(address, options)
        let waiting = try (0..<2).map { _ in try TestClient(address) }
        var outcome: Int32?
        let connection = loop.connect(
            to: address, options: ConnectOptions(timeout: .milliseconds(makesRoom ? 10_000 : 200)), onFailure: { outcome = $0.errno }
        ) { EchoHandler() }
        if makesRoom { loop.after(.milliseconds(50)) { close(accept(listening.descriptor.number, nil, nil)) } }
        loop.run { connection.isOpen || outcome != nil }
        #expect(connection.isOpen == makesRoom)
        #expect(outcome == (makesRoom ? nil : ETIMEDOUT))
        withExtendedLifetime(waiting) {}
    }

    @Test func aPeerKnowsWhoItTalksTo() throws {
        let directory = try TemporaryDirectory()
        let loop = try EventLoop()
        defer { loop.close() }
        final class Seen { var local: [SocketAddress] = []; var credentials: [PeerCredentials?] = [] }
        struct Seeing: ConnectionHandler {
            let seen: Seen
            mutating func connected(on connection: inout Connection) {
                seen.local.append(connection.localAddress)
                seen.credentials.append(connection.peerCredentials)
            }
            mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
        }
        let seen = Seen()
        let tcp = try loop.listen(on: "127.0.0.1:0") { Seeing(seen: seen) }
        let unix = try loop.listen(on: .unix(path: directory.path + "/s.sock")) { Seeing(seen: seen) }
        let first = try TestClient(tcp.address)
        loop.run { seen.local.count == 1 }
        let second = try TestClient(unix.address)
        loop.run { seen.local.count == 2 }
        #expect(seen.local == [tcp.address, unix.address])
        try #require(seen.credentials.count == 2)
        #expect(seen.credentials[0] == nil)
        let credentials = try #require(seen.credentials[1])
        #expect(credentials.processID == getpid() && credentials.userID == getuid() && credentials.groupID == getgid())
        withExtendedLifetime((first, second)) {}
    }

    @Test func aConnectionIsMadeFromTheAddressAskedFor() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        let numbers = Numbers()
        let listener = try loop.listen(on: "127.0.0.1:0") { EchoHandler() }
        var options = ConnectOptions()
        options.localAddress = .ipv4(0x7F00_0002, port: 0)
        loop.connect(to: listener.address, options: options, onFailure: { Issue.record($0) }) { Noting(numbers: numbers) }
        loop.run { numbers.values.count == 1 }
        guard case .ipv4(0x7F00_0002, _)? = SocketAddress.local(of: try #require(numbers.values.first)) else {
            throw SystemError("connect from 127.0.0.2", errno: EINVAL)
        }
        // Nobody's address here.
        var failure: SystemError?
        options.localAddress = .ipv4(0xC000_0201, port: 0)
        loop.connect(to: listener.address, options: options, onFailure: { failure = $0 }) { EchoHandler() }
        loop.run { failure != nil }
        #expect(failure?.errno == EADDRNOTAVAIL && failure?.address == options.localAddress)
    }

    @Test func aLingeringCloseIsForThreadsThatMayWait() throws {
        var options = ListenOptions()
        options.stream.linger = .seconds(7)
        let waiting = try ListeningSocket(.loopback(port: 0), options)
        let number = waiting.descriptor.number
        #expect(lingers(number).l_onoff == 1 && lingers(number).l_linger == 7)
        neverWaitOnClose(number)
        #expect(lingers(number).l_onoff == 0)
        options.stream.linger = .zero
        let resetting = try ListeningSocket(.loopback(port: 0), options)
        neverWaitOnClose(resetting.descriptor.number)
        #expect(lingers(resetting.descriptor.number).l_onoff == 1 && lingers(resetting.descriptor.number).l_linger == 0)
    }

    /// The kernel then reports it as readable for ever.
    @Test func aListenerThatSomebodyElseShutDownDoesNotSpin() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        let socket = try ListeningSocket(.loopback(port: 0))
        let number = dup(socket.descriptor.number)
        try loop.listen(adopting: Descriptor(owning: number)) { EchoHandler() }
        shutdown(socket.descriptor.number, CInt(SHUT_RD))
        loop.after(.milliseconds(250)) { loop.stop() }
        loop.run()
        #expect(loop.statistics.turns < 20)
        #expect(loop.statistics.acceptPauses > 0)
    }

    @Test func aPathThatAnotherTookOverStaysItsOwn() throws {
        let path = "/tmp/reactor-path-\(getpid())"
        defer { unlink(path) }
        let loop = try EventLoop()
        defer { loop.close() }
        let old = try loop.listen(on: .unix(path: path)) { EchoHandler() }
        unlink(path)
        let new = try loop.listen(on: .unix(path: path)) { EchoHandler() }
        old.stop()
        #expect(access(path, F_OK) == 0)
        new.stop()
        #expect(access(path, F_OK) != 0)
    }
}
