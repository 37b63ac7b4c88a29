import ConnectionHandling
import ReactorProxyProtocol
import ReactorTesting
import ReactorWire
import Synchronization
import Testing

/// What stands in front of an inner handler.
@Suite struct HandlerTests {
    private static let seed = UInt64.random(in: 1...UInt64.max)
    private static let proxy = address("10.0.0.1:5000")
    private static let stranger = address("11.0.0.1:5000")

    /// A server behind proxies in 10.0.0.0/8, and what it hears.
    private struct Server {
        let log = Log()
        let refusals: Refusals
        let proxies: ProxyProtocol

        final class Refusals: Sendable {
            let all = Mutex<[ProxyRefusal]>([])
            var list: [ProxyRefusal] { all.withLock { $0 } }
        }

        init(unixPeers: Bool = false, _ untrustedPeers: ProxyProtocol.UntrustedPeers = .refuse) throws {
            let refusals = Refusals()
            self.refusals = refusals
            proxies = ProxyProtocol(
                trusting: [try CIDR(parsing: "10.0.0.0/8")], unixPeers: unixPeers, untrustedPeers: untrustedPeers
            ) { _, reason in refusals.all.withLock { $0.append(reason) } }
        }

        func connection(from peer: SocketAddress = proxy, limits: ConnectionLimits = .default, greeting: Bool = false) -> TestDriver {
            TestDriver(
                ProxyProtocolHandler(proxies) { [log] header in
                    log.add(header.map { $0.endpoints == nil ? "no client" : "client" } ?? "direct")
                    return Inner(log: log, greeting: greeting)
                }, peer: peer, limits: limits)
        }

        func expectRefused(_ driver: TestDriver, _ reason: ProxyRefusal) {
            #expect(driver.closed == .aborted)
            #expect(refusals.list == [reason])
            #expect(proxies.refusals == 1)
            #expect(log.take() == [], "the inner handler hears nothing")
            #expect(driver.takeOutput() == "")
        }
    }

    // MARK: The header

    @Test(arguments: [lineHeader, (try? ProxyHeader.fromClient.bytes()) ?? []])
    func theInnerHandlerHasTheClientForAPeer(_ header: [UInt8]) throws {
        for pieces in splits(of: header + Array("abc".utf8), seed: Self.seed) {
            let server = try Server()
            let driver = server.connection()
            for piece in pieces { driver.receive(Array(piece)) }
            let heard = server.log.take()
            #expect(heard.prefix(3) == ["client", "connected 192.0.2.7:4711", "at 198.51.100.1:25"], "seed \(Self.seed)")
            #expect(heard.dropFirst(3).map { $0.dropFirst(9) }.joined() == "abc", "seed \(Self.seed)")
            #expect(driver.takeOutput() == "abc")
            #expect(server.refusals.list == [])
        }
    }

    @Test(arguments: [Array("PROXY UNKNOWN\r\n".utf8), binary(0x20, 0x00, []), binary(0x21, 0x00, binaryAddresses)])
    func aHeaderThatNamesNobodyLeavesTheRealPeer(_ header: [UInt8]) throws {
        let server = try Server()
        server.connection().receive(header)
        #expect(server.log.take() == ["no client", "connected 10.0.0.1:5000", "at unix:"])
    }

    @Test func aProtocolThatGreetsWaitsForTheHeader() throws {
        let server = try Server()
        let driver = server.connection(greeting: true)
        #expect(driver.takeOutput() == "")
        driver.receive(lineHeader)
        #expect(driver.takeOutput() == "hello ")
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", ProxyViolation.noHeader), ("PROXY TCP4 nonsense\r\n", .malformedLine),
        (String(repeating: "P", count: 200), .noHeader), ("PROXY " + String(repeating: "x", count: 101), .tooLong),
    ])
    func whatIsNoHeaderIsRefused(_ input: String, _ violation: ProxyViolation) throws {
        for pieces in splits(of: Array(input.utf8), seed: Self.seed) {
            let server = try Server()
            let driver = server.connection()
            for piece in pieces { driver.receive(Array(piece)) }
            server.expectRefused(driver, .violation(violation))
        }
    }

    /// A second header is the inner protocol's input.
    @Test func thereIsOneHeader() throws {
        let server = try Server()
        server.connection().receive(lineHeader + Array("PROXY UNKNOWN\r\n".utf8))
        #expect(server.log.take() == ["client", "connected 192.0.2.7:4711", "at 198.51.100.1:25", "received PROXY UNKNOWN\r\n"])
    }

    // MARK: Trust

    @Test(arguments: [Self.stranger, address("[2001:db8::1]:1"), .unix(path: ""), address("[::ffff:11.0.0.1]:1")])
    func aStrangerIsRefusedUnread(_ peer: SocketAddress) throws {
        let server = try Server()
        server.expectRefused(server.connection(from: peer), .untrusted)
    }

    @Test func aMappedAddressIsTheAddressThatItIs() throws {
        let server = try Server()
        server.connection(from: address("[::ffff:10.1.2.3]:1")).receive(lineHeader)
        #expect(server.log.take() == ["client", "connected 192.0.2.7:4711", "at 198.51.100.1:25"])
    }

    @Test func unixPeersAreTrustedWhereThatIsAskedFor() throws {
        let server = try Server(unixPeers: true)
        server.connection(from: .unix(path: "")).receive(lineHeader)
        #expect(server.log.take() == ["client", "connected 192.0.2.7:4711", "at 198.51.100.1:25"])
    }

    @Test func aStrangerWhoIsServedDirectlyHasNoHeaderBelieved() throws {
        let server = try Server(.serveDirectly)
        let driver = server.connection(from: Self.stranger)
        #expect(server.log.take() == ["direct", "connected 11.0.0.1:5000", "at unix:"])
        driver.receive("PROXY UNKNOWN\r\n")
        #expect(server.log.take() == ["received PROXY UNKNOWN\r\n"])
        driver.advance(by: .seconds(299))
        #expect(driver.closed == nil, "the header's deadline is not for it")
        server.connection().receive("no header\r\n")
        #expect(server.refusals.list == [.violation(.noHeader)], "a trusted sender still owes one")
    }

    // MARK: Time and ends

    @Test(arguments: ["", "P", "PROXY TCP4 192.0.2.7"])
    func aHeaderThatDoesNotComeIsWaitedForFiveSeconds(_ beginning: String) throws {
        let server = try Server()
        let driver = server.connection()
        driver.advance(by: .seconds(3))
        driver.receive(beginning)
        driver.advance(by: .milliseconds(1_999))
        #expect(driver.closed == nil)
        driver.advance(by: .milliseconds(1))
        server.expectRefused(driver, .timedOut)
    }

    @Test func behindTheHeaderTheDeadlineIsGone() throws {
        let server = try Server()
        let driver = server.connection()
        driver.receive(lineHeader)
        driver.advance(by: .seconds(299))
        #expect(driver.closed == nil)
        driver.advance(by: .seconds(1))
        #expect(driver.closed == .idle)
        #expect(server.log.take().last == "closed idle")
    }

    @Test(arguments: ["", "PROXY TCP4 192.0.2.7"])
    func aPeerThatEndsBeforeItsHeaderIsRefused(_ beginning: String) throws {
        let server = try Server()
        let driver = server.connection()
        driver.receive(beginning)
        driver.receiveEndOfInput()
        server.expectRefused(driver, .ended)
    }

    @Test func aServerThatStopsDoesNotWaitForHeaders() throws {
        let server = try Server()
        let driver = server.connection()
        driver.stop()
        #expect(driver.closed == .finished)
        #expect(server.log.take() == [])
        #expect(server.refusals.list == [], "it is not the peer's fault")
    }

    @Test func aConnectionThatBreaksBeforeItsHeaderNeverWas() throws {
        let server = try Server()
        let driver = server.connection()
        driver.receive("PROXY ")
        driver.reset()
        #expect(driver.closed == .failed(errno: 104))
        #expect(server.log.take() == [])
    }

    // MARK: The inner handler's events

    @Test func everyEventReachesTheInnerHandler() throws {
        let server = try Server()
        var limits = ConnectionLimits()
        (limits.lowWatermark, limits.highWatermark) = (2, 4)
        let driver = server.connection(limits: limits)
        driver.receive(lineHeader)
        _ = server.log.take()
        driver.receive("await")
        #expect(server.log.take() == ["received await", "drained", "answered"])
        driver.setWindow(0)
        driver.receive("abcd")
        driver.setWindow(nil)
        #expect(server.log.take() == ["received abcd", "drained"])
        driver.receive("pause")
        driver.advance(by: .seconds(1))
        #expect(server.log.take() == ["received pause", "drained", "deadline"])
        driver.receiveEndOfInput()
        #expect(server.log.take() == ["end", "closed finished"])

        let stopping = server.connection()
        stopping.receive(lineHeader)
        _ = server.log.take()
        stopping.stop()
        #expect(server.log.take() == ["stopping", "closed finished"])
    }

    /// What came with the header is kept for an inner handler that will not have it yet.
    @Test func anInnerHandlerMayBeginHeld() throws {
        struct Slow: ConnectionHandler {
            let log: Log
            mutating func connected(on connection: inout Connection) {
                connection.pauseReading()
                connection.setDeadline(after: .seconds(1))
            }
            mutating func deadlineExpired(on connection: inout Connection) { connection.resumeReading() }
            mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
                log.add(bytes.text)
                return bytes.byteCount
            }
        }
        let server = try Server()
        let driver = TestDriver(
            ProxyProtocolHandler(server.proxies) { [log = server.log] _ in Slow(log: log) }, peer: Self.proxy)
        driver.receive(lineHeader + Array("early".utf8))
        #expect(server.log.take() == [])
        driver.advance(by: .seconds(1))
        #expect(server.log.take() == ["early"])
    }

    // MARK: Sending

    @Test(arguments: [ProxyHeader.Version.v1, .v2])
    func theSendersHeaderComesFirst(_ version: ProxyHeader.Version) throws {
        let log = Log()
        let header = try ProxyHeader.fromClient.bytes(version)
        let driver = TestDriver(try ProxyProtocolSender(.fromClient, version, inner: Inner(log: log, greeting: true)))
        #expect(driver.takeOutput() == header + Array("hello ".utf8))
        driver.receive("pause")
        driver.advance(by: .seconds(1))
        driver.receive("await")
        driver.receiveEndOfInput()
        #expect(driver.takeOutput() == "pauseawait")
        #expect(
            log.take().dropFirst(2) == ["received pause", "deadline", "received await", "answered", "end", "closed finished"])
    }

    @Test func aHeaderThatCannotBeWrittenIsRefusedWhenItIsMade() {
        let header = ProxyHeader(ProxyHeader.fromClient.endpoints, tlvs: [TLV(.alpn, [UInt8](repeating: 0, count: 65_536))])
        #expect(throws: ProxyHeaderError.tooLong) { _ = try ProxyProtocolSender(header, inner: Inner(log: Log())) }
    }

    // MARK: Back-pressure

    private struct Flooding: ConnectionHandler {
        let log: Log
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
            connection.write("0123456789")
            return bytes.byteCount
        }
        mutating func backedUp(on connection: inout Connection) { log.add("backed up") }
        mutating func drained(on connection: inout Connection) { log.add("drained") }
    }

    @Test func theInnerHandlerHearsOfBothWatermarks() throws {
        var limits = ConnectionLimits()
        limits.highWatermark = 10
        limits.lowWatermark = 0
        let server = try Server()
        let log = Log()
        let receiving = TestDriver(ProxyProtocolHandler(server.proxies) { _ in Flooding(log: log) }, peer: Self.proxy, limits: limits)
        let sending = TestDriver(try ProxyProtocolSender(.fromClient, inner: Flooding(log: log)), limits: limits)
        _ = sending.takeOutput() as [UInt8]
        #expect(log.take() == ["backed up", "drained"], "by the header alone")
        for (driver, header) in [(receiving, lineHeader), (sending, [])] {
            driver.setWindow(0)
            driver.receive(header + Array("x".utf8))
            #expect(log.take() == ["backed up"])
            driver.setWindow(nil)
            #expect(log.take() == ["drained"])
        }
    }
}
