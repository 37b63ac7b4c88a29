import ConnectionHandling
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Reactor

/// Remembers what it was told.
private struct Remembering: DatagramHandler {
    var received: [String] = []
    var peers: [SocketAddress] = []
    var failures: [DatagramFailure] = []

    mutating func received(_ payload: RawSpan, from origin: DatagramOrigin, on socket: inout DatagramSocket) {
        received.append(payload.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
        peers.append(origin.peer)
    }
    mutating func failed(_ failure: DatagramFailure, on socket: inout DatagramSocket) { failures.append(failure) }
}

private struct Answering: DatagramHandler {
    var peer: SocketAddress?

    mutating func received(_ payload: RawSpan, from origin: DatagramOrigin, on socket: inout DatagramSocket) {
        peer = origin.peer
        socket.send(payload, to: origin)
    }
}

/// What peers and the system can do to a datagram socket, seen at its ``DatagramPerformer``: no loop, no waiting.
@Suite struct DatagramFaultTests {
    private let batch: DatagramBatch
    private let box = TypedDatagramHandlerBox(Remembering())

    init() throws { batch = try DatagramBatch() }

    private func performer(_ socket: borrowing DatagramDescriptor) -> DatagramPerformer {
        let clock = DriverClock(now: MonotonicTime(nanoseconds: 1), unixSeconds: 0)
        return DatagramPerformer(
            socket: socket, options: .default, limits: .default, handler: box, clock: clock, batch: batch)
    }

    /// A port that nobody has.
    private func freePort(_ address: SocketAddress = .loopback(port: 0)) throws -> SocketAddress {
        try DatagramDescriptor(address, .default).address
    }

    @Test func descriptorsThatAPeerPassesAreNotTaken() throws {
        let socket = try DatagramDescriptor(.unix(path: "@datagram-rights-\(getpid())"), .default)
        let client = try TestDatagramClient(socket.address)
        var ends: [CInt] = [-1, -1]
        #expect(pipe(&ends) == 0)
        let passed = [UInt8](unsafeUninitializedCapacity: 24) { control, count in
            // struct cmsghdr and one descriptor, padded to eight bytes.
            control.withMemoryRebound(to: cmsghdr.self) {
                $0[0] = cmsghdr()
                $0[0].cmsg_len = 20
                $0[0].cmsg_level = SOL_SOCKET
                $0[0].cmsg_type = 1
            }
            UnsafeMutableRawBufferPointer(control).storeBytes(of: Int64(ends[1]), toByteOffset: 16, as: Int64.self)
            count = 24
        }
        var (control, payload) = (passed, Array("hello".utf8))
        let sent = payload.withUnsafeMutableBytes { payload in
            control.withUnsafeMutableBytes { control in
                var part = iovec(iov_base: payload.baseAddress, iov_len: payload.count)
                return withUnsafeMutablePointer(to: &part) { part in
                    var message = msghdr()
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    return sendmsg(client.fd, &message, 0)
                }
            }
        }
        #expect(sent == 5)
        close(ends[1])
        var performer = performer(socket)
        #expect(performer.receive() == 1 && box.handler.received == ["hello"])
        // The pipe has no writer left, unless the receiver has become one.
        var entry = pollfd(fd: ends[0], events: 0, revents: 0)
        #expect(poll(&entry, 1, 0) == 1 && Int32(entry.revents) & POLLHUP != 0)
        close(ends[0])
    }

    @Test func aPeerWithoutANameDoesNotGetThatOfAnother() throws {
        let inet = try DatagramDescriptor(.loopback(port: 0), .default)
        try TestDatagramClient(inet.address).send("named")
        var first = performer(inet)
        #expect(first.receive() == 1)

        let unix = try DatagramDescriptor(.unix(path: "@datagram-nameless-\(getpid())"), .default)
        let nameless = Glibc.socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
        defer { close(nameless) }
        #expect(unix.address.withSystemAddress { sendto(nameless, "x", 1, 0, $0, $1) } == 1)
        var second = performer(unix)
        #expect(second.receive() == 1)
        #expect(box.handler.peers.last == .unix(path: ""))
    }

    @Test func aPeerWhosePathFillsItsAddressIsAnswered() throws {
        let server = try DatagramDescriptor(.unix(path: "@datagram-long-\(getpid())"), .default)
        let directory = "/tmp/datagram-\(getpid())-"
        let path = directory + String(repeating: "p", count: 108 - directory.utf8.count)
        let client = Glibc.socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
        defer {
            close(client)
            unlink(path)
        }
        // As unix(7) allows: all 108 bytes, and no NUL.
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let bound = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(client, $0, length) }
        }
        #expect(bound == 0)
        #expect(server.address.withSystemAddress { sendto(client, "x", 1, 0, $0, $1) } == 1)
        let answering = TypedDatagramHandlerBox(Answering())
        var performer = DatagramPerformer(
            socket: server, options: .default, limits: .default, handler: answering,
            clock: DriverClock(now: MonotonicTime(nanoseconds: 1), unixSeconds: 0), batch: batch)
        #expect(performer.receive() == 1)
        performer.flush()
        var byte: UInt8 = 0
        #expect(recv(client, &byte, 1, 0) == 1)
        #expect(answering.handler.peer == .unix(path: path))
    }

    @Test func whatCannotBeSentAtAllDoesNotEndTheJoiningOfTheRest() throws {
        let socket = try DatagramDescriptor(.loopback(port: 0), .default)
        var performer = performer(socket)
        let payload: [UInt8] = [1, 2]
        for _ in 0..<3 { performer.conversation.socket.send(payload.span.bytes, to: .loopback(port: 0)) }
        performer.flush()
        #expect(box.handler.failures.count == 3 && box.handler.failures.allSatisfy { $0.errno == EINVAL })
        #expect(performer.largestSegment == .max, "nobody can be sent to at port 0, joined or not")
    }

    @Test func anErrorDoesNotHideWhatHasArrived() throws {
        let socket = try DatagramDescriptor(.loopback(port: 0), .default)
        let client = try TestDatagramClient(socket.address)
        var performer = performer(socket)
        let payload: [UInt8] = [1]
        performer.conversation.socket.send(payload.span.bytes, to: try freePort())
        performer.flush()
        client.send("hello")
        #expect(performer.receive() == 1 && box.handler.received == ["hello"])
        #expect(box.handler.failures.map(\.errno) == [ECONNREFUSED])
    }

    @Test func aSocketOfBothFamiliesReportsIPv4AddressesAsSuch() throws {
        var both = DatagramOptions()
        both.dualStack = true
        let socket = try DatagramDescriptor(.ipv6(high: 0, low: 0, port: 0), both)
        var performer = performer(socket)
        let payload: [UInt8] = [1]
        let free = try freePort()
        performer.conversation.socket.send(payload.span.bytes, to: free)
        performer.flush()
        performer.receive()
        let failure = try #require(box.handler.failures.first)
        #expect(failure.destination == free && failure.icmp?.sender?.host == "127.0.0.1")
        performer.conversation.socket.send(payload.span.bytes, to: .loopback(port: 0))
        performer.flush()
        #expect(box.handler.failures.last?.destination == .loopback(port: 0))
    }

    @Test func whatASocketQueuedOnceItDoesNotKeep() {
        var queue = DatagramQueue()
        let payload = [UInt8](repeating: 0, count: 1_000)
        for _ in 0..<1_000 { queue.append(payload.span.bytes, to: nil) }
        #expect(queue.removeFirst(1_000) == 1_000_000)
        #expect(queue.capacityInUse <= DatagramQueue.keptCapacity)
    }

    @Test func severalLoopsHearAGroupOnce() throws {
        let group = try #require(MulticastGroup(SocketAddress(parsing: "239.255.77.9:0"), interface: "lo"))
        var options = DatagramOptions()
        options.groups = [group]
        let sockets = try DatagramDescriptor.sharing(.ipv4(0, port: 0), options, count: 3)
        defer { for socket in sockets { close(socket) } }
        var sending = DatagramOptions()
        sending.multicastInterface = group.interface
        let sender = try DatagramDescriptor(.ipv4(0, port: 0), sending)
        let target = SocketAddress.ipv4(0xEFFF_4D09, port: try #require(SocketAddress.local(of: sockets[0])?.port))
        #expect(target.withSystemAddress { sendto(sender.descriptor.number, "x", 1, 0, $0, $1) } == 1)
        var entries = sockets.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        #expect(poll(&entries, nfds_t(entries.count), 2_000) == 1)
    }

    @Test func aReceiverThatNeverReadsKeepsNoSocketOpen() throws {
        let deaf = try DatagramDescriptor(.unix(path: "@datagram-deaf-\(getpid())"), .default)
        let loop = try EventLoop()
        var limits = DatagramLimits()
        limits.closingTime = .milliseconds(20)
        let binding = try loop.connectDatagrams(to: deaf.address, limits: limits) { Remembering() }
        let payload: [UInt8] = [1]
        _ = binding.withHandler { _, socket in
            for _ in 0..<1_000 { socket.send(payload.span.bytes) }
        }
        binding.close()
        let dropped = loop.statistics.datagrams.dropped
        loop.after(.milliseconds(500)) { loop.stop() }
        loop.run()
        #expect(dropped == 0 && loop.statistics.datagrams.dropped > 0)
        loop.close()
    }
}
