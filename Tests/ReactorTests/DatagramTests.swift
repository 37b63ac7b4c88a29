import ConnectionHandling
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Reactor

/// Calls closures, and counts those of its kind that are alive.
private struct Calling: DatagramHandler, ~Copyable {
    var onBound: (inout DatagramSocket) -> Void = { _ in }
    var onReceived: (String, DatagramOrigin, inout DatagramSocket) -> Void = { _, _, _ in }
    var onFailed: (DatagramFailure, inout DatagramSocket) -> Void = { _, _ in }
    var onDrained: () -> Void = {}
    var onClosed: (CloseReason) -> Void = { _ in }

    mutating func bound(on socket: inout DatagramSocket) { onBound(&socket) }
    mutating func received(_ payload: RawSpan, from origin: DatagramOrigin, on socket: inout DatagramSocket) {
        onReceived(payload.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }, origin, &socket)
    }
    mutating func failed(_ failure: DatagramFailure, on socket: inout DatagramSocket) { onFailed(failure, &socket) }
    mutating func drained(on socket: inout DatagramSocket) { onDrained() }
    mutating func closed(_ reason: CloseReason) { onClosed(reason) }
}

extension DatagramSocket {
    fileprivate mutating func send(_ text: String, to address: SocketAddress) {
        let bytes = Array(text.utf8)
        send(bytes.span.bytes, to: address)
    }
    fileprivate mutating func send(_ text: String) {
        let bytes = Array(text.utf8)
        send(bytes.span.bytes)
    }
}

private struct DatagramEchoHandler: DatagramHandler {
    mutating func received(_ payload: RawSpan, from origin: DatagramOrigin, on socket: inout DatagramSocket) {
        socket.send(payload, to: origin)
    }
}

@Suite(.timeLimit(.minutes(40))) struct DatagramTests {
    private let loop: EventLoop
    private let loopback = SocketAddress.loopback(port: 0)

    init() throws { loop = try EventLoop() }

    // MARK: Both sides on one loop

    @Test(arguments: ["127.0.0.1:0", "[::1]:0", "unix:@datagram-test"])
    func aConnectedSocketTalksToItsPeer(_ address: String) throws {
        var answers: [String] = []
        let server = try loop.bind(to: address) { DatagramEchoHandler() }
        let client = try loop.connectDatagrams(to: server.address) {
            var handler = Calling()
            handler.onBound = { $0.send("hello") }
            handler.onReceived = { text, origin, _ in answers.append("\(text) from \(origin.peer)") }
            return handler
        }
        loop.run { answers.count == 1 }
        _ = client.withHandler { _, socket in socket.send("again") }
        loop.run { answers.count == 2 }
        #expect(answers == ["hello from \(server.address)", "again from \(server.address)"])
        #expect(client.peer == server.address)
        #expect(server.statistics.received == 2 && server.statistics.sent == 2 && server.statistics.sentBytes == 10)
        #expect(loop.statistics.datagrams.received == 4 && loop.statistics.datagrams.sent == 4)
        client.close()
        #expect(!client.isOpen && client.withHandler { _, _ in } == nil)
        loop.close()
    }

    @Test func aRefusedPortIsReportedToAConnectedSocket() throws {
        let free = try DatagramDescriptor(loopback, .default).address
        var failures: [DatagramFailure] = []
        let client = try loop.connectDatagrams(to: free) {
            var handler = Calling()
            handler.onBound = { $0.send("hello") }
            handler.onFailed = { failure, _ in failures.append(failure) }
            return handler
        }
        loop.run { failures.count == 1 }
        let failure = try #require(failures.first)
        #expect(failure.errno == ECONNREFUSED && failure.destination == free)
        #expect(failure.icmp?.isPortUnreachable == true && failure.icmp?.sender?.host == "127.0.0.1")
        #expect(client.statistics.errors == 1)
        loop.close()
    }

    @Test func aHandlerThatSendsAgainWhatIsRefusedStopsNobody() throws {
        var (failures, turns) = (0, 0)
        let long = String(repeating: "x", count: 70_000)
        let binding = try loop.bind(to: loopback) {
            var handler = Calling()
            handler.onBound = { $0.send(long, to: .loopback(port: 9)) }
            handler.onFailed = { failure, socket in
                failures += failure.errno == EMSGSIZE ? 1 : 0
                socket.send(long, to: .loopback(port: 9))
            }
            return handler
        }
        loop.every(.milliseconds(1)) { turns += 1 }
        loop.run { turns >= 3 }
        #expect(turns >= 3 && failures >= 64)
        #expect(binding.isOpen)
        loop.close()
    }

    // MARK: Offload

    /// Sends `count` datagrams of `size` bytes, the last of them shorter, in one turn to a socket that joins them again.
    private func exchange(count: Int, size: Int, offload: Bool = true, prepare: (CInt) -> Void = { _ in }) throws -> [String] {
        var got: [String] = []
        var options = DatagramOptions()
        options.offload = offload
        options.receiveBuffer = 4 << 20
        let server = try loop.bind(to: loopback, options: options) {
            var handler = Calling()
            handler.onReceived = { text, _, _ in got.append(text) }
            return handler
        }
        let client = try loop.bind(to: loopback, options: options) { Calling() }
        prepare(client.descriptor ?? -1)
        _ = client.withHandler { _, socket in
            for number in 0..<count {
                let length = number == count - 1 ? size / 2 : size
                socket.send("\(number)".padding(toLength: length, withPad: ".", startingAt: 0), to: server.address)
            }
        }
        loop.run { got.count == count }
        #expect(client.statistics.sent == UInt64(count) && client.statistics.errors == 0)
        return got.map { "\($0.prefix { $0 != "." }) \($0.utf8.count)" }
    }

    private func expected(count: Int, size: Int) -> [String] {
        (0..<count).map { "\($0) \($0 == count - 1 ? size / 2 : size)" }
    }

    @Test(arguments: [1, 2, 63, 64, 65, 200], [8, 1_200])
    func joinedDatagramsArriveApart(_ count: Int, _ size: Int) throws {
        #expect(try exchange(count: count, size: size) == expected(count: count, size: size))
        #expect(try exchange(count: count, size: size, offload: false) == expected(count: count, size: size))
        loop.close()
    }

    /// The kernel cuts nothing up that has no checksum: as it refuses on interfaces that can't.
    @Test func whereTheKernelRefusesToCutTheyAreSentOneByOne() throws {
        let got = try exchange(count: 40, size: 100) { fd in
            var one: CInt = 1
            #expect(setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &one, socklen_t(MemoryLayout<CInt>.size)) == 0)
        }
        #expect(got == expected(count: 40, size: 100))
        loop.close()
    }

    @Test func whatGoesToOnePeerInOneSizeIsOneMessage() throws {
        let batch = try DatagramBatch()
        func messages(_ datagrams: [(Int, UInt16)], limit: Int = 64, largest: Int = .max) -> [Int] {
            var queue = DatagramQueue()
            for (size, port) in datagrams {
                let bytes = [UInt8](repeating: 0, count: size)
                queue.append(bytes.span.bytes, to: DatagramOrigin(peer: .loopback(port: port)))
            }
            let count = batch.prepare(queue, limit: limit, largestSegment: largest)
            return (0..<count).map { batch.datagrams(in: $0 + 1) - batch.datagrams(in: $0) }
        }
        #expect(messages([(5, 1), (5, 1), (5, 1)]) == [3])
        #expect(messages([(5, 1), (5, 2), (5, 1)]) == [1, 1, 1], "to different peers")
        #expect(messages([(5, 1), (5, 1), (4, 1), (5, 1)]) == [3, 1], "only the last may be shorter")
        #expect(messages([(5, 1), (6, 1)]) == [1, 1])
        #expect(messages([(0, 1), (0, 1), (5, 1), (0, 1)]) == [1, 1, 1, 1], "an empty one can't be cut off")
        #expect(messages(Array(repeating: (5, 1), count: 65)) == [64, 1])
        #expect(messages(Array(repeating: (20_000, 1), count: 4)) == [3, 1], "no more bytes than a message holds")
        #expect(messages([(5, 1), (5, 1)], largest: 4) == [1, 1])
        #expect(messages([(5, 1), (6, 1), (7, 1)], limit: 2) == [1, 1])
    }

    // MARK: Multicast and broadcast

    /// IPv6 has no groups on the loopback interface of most machines; on another one with an address it may.
    private func interface(for group: String) -> String {
        guard group.contains(":"), let list = try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8) else { return "lo" }
        let names = list.split(separator: "\n").compactMap { $0.split(separator: " ").last.map(String.init) }
        return names.first { $0 != "lo" } ?? "lo"
    }

    @Test(arguments: [("239.255.77.7", "0.0.0.0:0"), ("ff12::7707", "[::]:0")])
    func multicastReachesThoseWhoJoined(_ group: String, _ wildcard: String) throws {
        var got: [String] = []
        let receiver = try loop.bind(to: wildcard) {
            var handler = Calling()
            handler.onReceived = { text, origin, _ in got.append("\(text) \(origin.isUnicast) \(origin.interface)") }
            return handler
        }
        let port = try #require(receiver.address.port)
        let text = group.contains(":") ? "[\(group)]:\(port)" : "\(group):\(port)"
        let joined = try #require(MulticastGroup(SocketAddress(parsing: text), interface: interface(for: group)))
        try receiver.join(joined)
        #expect(throws: SystemError.self) { try receiver.join(joined) }
        var options = DatagramOptions()
        options.multicastInterface = joined.interface
        // It stays on this machine.
        options.multicastHops = 0
        var failures: [Int32] = []
        let sender = try loop.bind(to: wildcard, options: options) {
            var handler = Calling()
            handler.onFailed = { failure, _ in failures.append(failure.errno) }
            return handler
        }
        _ = sender.withHandler { $1.send("hello", to: joined.address) }
        // Without a route the membership is there all the same.
        if wildcard == "[::]:0" && failures == [ENETUNREACH] {
            #expect(try String(contentsOfFile: "/proc/net/igmp6", encoding: .utf8).contains("ff120000000000000000000000007707"))
        } else {
            loop.run { got.count == 1 }
            #expect(got == ["hello false \(joined.interface)"])
        }
        let delivered = got.count
        try receiver.leave(joined)
        #expect(throws: SystemError.self) { try receiver.leave(joined) }
        _ = sender.withHandler { $1.send("again", to: joined.address) }
        loop.after(.milliseconds(50)) { [loop] in loop.stop() }
        loop.run()
        #expect(got.count == delivered, "who has left hears no more")
        loop.close()
    }

    @Test func withoutTheLoopAGroupOnThisMachineHearsNothing() throws {
        var got = 0
        let group = try #require(MulticastGroup(SocketAddress(parsing: "239.255.77.8:0"), interface: "lo"))
        var options = DatagramOptions()
        options.groups = [group]
        let receiver = try loop.bind(to: "0.0.0.0:0", options: options) {
            var handler = Calling()
            handler.onReceived = { _, _, _ in got += 1 }
            return handler
        }
        options = DatagramOptions()
        options.multicastInterface = group.interface
        options.multicastLoop = false
        let sender = try loop.bind(to: "0.0.0.0:0", options: options) { Calling() }
        let target = SocketAddress.ipv4(0xEFFF_4D08, port: try #require(receiver.address.port))
        _ = sender.withHandler { $1.send("hello", to: target) }
        loop.after(.milliseconds(50)) { [loop] in loop.stop() }
        loop.run()
        // On the loopback interface itself what is sent also comes in, whatever the option says.
        #expect(got <= 1)
        loop.close()
    }

    @Test func broadcastNeedsTheOption() throws {
        var (got, failures): ([Bool], [Int32]) = ([], [])
        let receiver = try loop.bind(to: "0.0.0.0:0") {
            var handler = Calling()
            handler.onReceived = { _, origin, _ in got.append(origin.isUnicast) }
            return handler
        }
        let target = SocketAddress.ipv4(0x7FFF_FFFF, port: try #require(receiver.address.port))
        for allowed in [false, true] {
            var options = DatagramOptions()
            options.broadcast = allowed
            try loop.bind(to: loopback, options: options) {
                var handler = Calling()
                handler.onBound = { $0.send("hello", to: target) }
                handler.onFailed = { failure, _ in failures.append(failure.errno) }
                return handler
            }
        }
        loop.run { got.count == 1 }
        #expect(failures == [EACCES])
        #expect(got == [false])
        loop.close()
    }

    // MARK: Binding

    /// Why the address cannot be bound.
    private func refusal(of address: SocketAddress) -> SystemError? {
        do throws(SystemError) {
            _ = try loop.bind(to: address) { DatagramEchoHandler() }
            return nil
        } catch {
            return error
        }
    }

    @Test func aPortInUseIsRefusedUnlessItIsShared() throws {
        var options = DatagramOptions()
        let first = try loop.bind(to: loopback) { Calling() }
        let error = refusal(of: first.address)
        #expect(error?.errno == EADDRINUSE && error?.address == first.address)
        options.reusesPort = true
        let second = try loop.bind(to: loopback, options: options) { Calling() }
        _ = try loop.bind(to: second.address, options: options) { Calling() }
        loop.close()
    }

    @Test func anIPv6WildcardIsIPv6OnlyUnlessItSaysBoth() throws {
        var options = DatagramOptions()
        // Somebody else may have the port in IPv4.
        var bothAreBound = false
        for _ in 0..<20 where !bothAreBound {
            let only = try loop.bind(to: "[::]:0") { Calling() }
            bothAreBound = refusal(of: .ipv4(0, port: try #require(only.address.port))) == nil
        }
        #expect(bothAreBound)
        options.dualStack = true
        let both = try loop.bind(to: SocketAddress(parsing: "[::]:0"), options: options) { Calling() }
        #expect(refusal(of: .ipv4(0, port: both.address.port ?? 0))?.errno == EADDRINUSE)
        loop.close()
    }

    @Test func aSocketOfBothFamiliesSendsToIPv4() throws {
        var got: [String] = []
        let receiver = try loop.bind(to: loopback) {
            var handler = Calling()
            handler.onReceived = { text, _, _ in got.append(text) }
            return handler
        }
        var options = DatagramOptions()
        options.dualStack = true
        try loop.bind(to: SocketAddress(parsing: "[::]:0"), options: options) {
            var handler = Calling()
            handler.onBound = { $0.send("hello", to: receiver.address) }
            return handler
        }
        loop.run { got == ["hello"] }
        #expect(got == ["hello"])
        loop.close()
    }

    // MARK: Unix-domain

    @Test func aStalePathIsTakenOverAndItsModeIsSet() throws {
        let directory = try TemporaryDirectory()
        let address = SocketAddress.unix(path: directory.path + "/socket")
        // As left behind by a server that was killed.
        _ = try DatagramDescriptor(address, .default)
        var options = DatagramOptions()
        options.fileMode = 0o662
        let binding = try loop.bind(to: address, options: options) { Calling() }
        var status = stat()
        #expect(stat(address.host, &status) == 0 && status.st_mode & 0o777 == 0o662)
        #expect(refusal(of: address)?.errno == EADDRINUSE)
        binding.close()
        #expect(!FileManager.default.fileExists(atPath: address.host))
        // A stream server's path is not a stale one.
        let listener = try loop.listen(on: address) { EchoHandler() }
        #expect(refusal(of: address)?.errno == EADDRINUSE)
        listener.stop()
        loop.close()
    }

    @Test func aFullReceiverIsReportedOrWaitedFor() throws {
        let receiver = try DatagramDescriptor(.unix(path: "\0datagram-full-\(getpid())"), .default)
        var failures: [DatagramFailure] = []
        var drained = 0
        func handler() -> Calling {
            var handler = Calling()
            handler.onFailed = { failure, _ in failures.append(failure) }
            handler.onDrained = { drained += 1 }
            return handler
        }
        // Far more than the receiver's queue holds (net.unix.max_dgram_qlen).
        let count = 1_000
        let free = try loop.bind(to: "unix:@datagram-free-\(getpid())") { handler() }
        _ = free.withHandler { for _ in 0..<count { $1.send("hello", to: receiver.address) } }
        loop.run { Int(free.statistics.sent) + failures.count == count }
        #expect(!failures.isEmpty && failures.allSatisfy { $0.errno == EAGAIN && $0.destination == receiver.address })
        #expect(Int(free.statistics.sent) + failures.count == count)
        #expect(free.isOpen && drained == 0)

        var buffer = [UInt8](repeating: 0, count: 64)
        func drain() { while recv(receiver.descriptor.number, &buffer, buffer.count, CInt(MSG_DONTWAIT)) >= 0 {} }
        drain()
        failures = []
        let connected = try loop.connectDatagrams(to: receiver.address) { handler() }
        _ = connected.withHandler { for _ in 0..<count { $1.send("hello") } }
        let turns = loop.statistics.turns
        loop.after(.milliseconds(50)) { [loop] in loop.stop() }
        loop.run()
        #expect(loop.statistics.turns - turns < 10, "it waits, and does not ask again and again")
        #expect(connected.statistics.sent < UInt64(count) && failures.isEmpty)
        let reading = loop.every(.milliseconds(1)) { drain() }
        loop.run { drained == 1 }
        reading.cancel()
        #expect(connected.statistics.sent == UInt64(count) && connected.statistics.dropped == 0)
        loop.close()
    }

    @Test func whatNobodyReceivesInTimeIsCountedByTheSystem() throws {
        let server = try loop.bind(to: loopback) { DatagramEchoHandler() }
        let client = try TestDatagramClient(server.address)
        for _ in 0..<20_000 { client.send("hello") }
        #expect(server.systemDrops > 0)
        loop.run { loop.statistics.datagrams.received + server.systemDrops == 20_000 }
        #expect(server.statistics.received + server.systemDrops == 20_000)
        loop.close()
    }

    // MARK: Nothing leaks

    private final class Counter { var live = 0 }
    private final class Live {
        private let counter: Counter
        init(_ counter: Counter) {
            self.counter = counter
            counter.live += 1
        }
        deinit { counter.live -= 1 }
    }

    private var openDescriptors: Int { (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? -1 }

    @Test func tenThousandSocketsLeaveNothingBehind() throws {
        let counter = Counter()
        var closings = 0
        _ = try loop.datagramBatch()
        let server = try loop.bind(to: loopback) { DatagramEchoHandler() }
        let before = openDescriptors
        for _ in 0..<50 {
            var answered = 0
            for _ in 0..<200 {
                let live = Live(counter)
                try loop.connectDatagrams(to: server.address) {
                    var handler = Calling()
                    handler.onBound = { $0.send("hello") }
                    handler.onReceived = { [live] _, _, socket in
                        _ = live
                        answered += 1
                        socket.close()
                    }
                    handler.onClosed = { reason in if reason == .finished { closings += 1 } }
                    return handler
                }
            }
            loop.run { answered == 200 }
        }
        loop.run { counter.live == 0 }
        #expect(closings == 10_000)
        #expect(counter.live == 0)
        // Other tests of this process open and close descriptors meanwhile.
        #expect(openDescriptors < before + 100)
        #expect(server.statistics.received == 10_000 && loop.statistics.datagrams.received == 20_000)
        loop.close()
    }

    @Test func whatIsOpenWhenTheLoopGoesIsClosed() throws {
        let counter = Counter()
        var reasons: [CloseReason] = []
        do {
            let live = Live(counter)
            try loop.bind(to: loopback) {
                var handler = Calling()
                handler.onReceived = { [live] _, _, _ in _ = live }
                handler.onClosed = { reasons.append($0) }
                return handler
            }
        }
        loop.close()
        #expect(reasons == [.stopped])
        #expect(counter.live == 0)
    }

    @Test func shuttingDownLetsWhatArrivedBeServed() throws {
        let server = try loop.bind(to: loopback) { DatagramEchoHandler() }
        let client = try TestDatagramClient(server.address)
        for _ in 0..<100 { client.send("hello") }
        loop.shutDown(within: .seconds(5))
        let started = ContinuousClock.now
        loop.run()
        #expect(ContinuousClock.now - started < .seconds(4), "it ends with the last socket")
        #expect(loop.statistics.datagrams.sent == 100)
        #expect(!server.isOpen)
        loop.close()
    }
}
