import ConnectionHandling
import ReactorTesting
import Synchronization
import Testing

/// Does what its datagrams say, and writes down what it was told.
private struct Scripted: DatagramHandler {
    let log: Log
    var answers: [(Awaited<String>, DatagramOrigin)] = []

    final class Log: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        func take() -> [String] { lines.withLock { kept in defer { kept = [] }; return kept } }
    }

    init(_ log: Log) { self.log = log }

    mutating func bound(on socket: inout DatagramSocket) { log.add("bound") }

    mutating func received(_ payload: RawSpan, from origin: DatagramOrigin, on socket: inout DatagramSocket) {
        let text = payload.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        log.add("got '\(text)' of \(origin.fullLength)\(origin.isTruncated ? ", truncated" : "")")
        switch text {
        case "await": answers.append((socket.await { "awaited" }, origin))
        case "perform": answers.append((socket.perform { "performed" }, origin))
        case "fail": answers.append((socket.perform { throw CancellationError() }, origin))
        case "deadline": socket.setDeadline(after: .seconds(5))
        case "close":
            socket.send(payload, to: origin)
            socket.close()
        case "abort":
            socket.send(payload, to: origin)
            socket.close(.aborting)
        case "flood": for _ in 0..<5 { log.add("\(socket.send(payload, to: origin))") }
        case "where": log.add("\(origin.peer) at \(origin.localAddress.map { "\($0)" } ?? "?"), unicast \(origin.isUnicast)")
        default: socket.send(payload, to: origin)
        }
    }

    mutating func failed(_ failure: DatagramFailure, on socket: inout DatagramSocket) { log.add("\(failure)") }
    mutating func deadlineExpired(on socket: inout DatagramSocket) { log.add("deadline") }
    mutating func answered(on socket: inout DatagramSocket) {
        answers.removeAll { answer, origin in
            switch answer.take() {
            case .success(let text):
                let bytes = Array(text.utf8)
                socket.send(bytes.span.bytes, to: origin)
            case .failure: log.add("failed")
            case nil: return false
            }
            return true
        }
    }
    mutating func drained(on socket: inout DatagramSocket) { log.add("drained") }
    mutating func stopping(on socket: inout DatagramSocket) {
        log.add("stopping")
        socket.close()
    }
    mutating func closed(_ reason: CloseReason) { log.add("closed \(reason)") }
}

@Suite struct DatagramContractTests {
    private let log = Scripted.Log()
    private let peer = SocketAddress.loopback(port: 40_000)

    private func drive(_ limits: DatagramLimits = .default) -> TestDatagramDriver {
        let driver = TestDatagramDriver(Scripted(log), limits: limits)
        #expect(log.take() == ["bound"])
        return driver
    }

    @Test func eachDatagramIsOneCallAndAnAnswerGoesToItsSender() {
        let driver = drive()
        driver.receive("one")
        driver.receive("", from: .ipv6(high: 1, low: 2, port: 3))
        driver.receive("three", from: .unix(path: "/tmp/a socket"))
        #expect(log.take() == ["got 'one' of 3", "got '' of 0", "got 'three' of 5"])
        #expect(
            driver.takeSent() == [
                .init(Array("one".utf8), to: peer), .init([], to: .ipv6(high: 1, low: 2, port: 3)),
                .init(Array("three".utf8), to: .unix(path: "/tmp/a socket")),
            ])
    }

    @Test(arguments: [(3, "abc", false), (4, "abcd", false), (5, "abcd", true)])
    func truncationIsReported(_ length: Int, _ delivered: String, _ truncated: Bool) {
        var limits = DatagramLimits()
        limits.maxPayload = 4
        let driver = drive(limits)
        driver.receive(String("abcde".prefix(length)))
        #expect(log.take() == ["got '\(delivered)' of \(length)\(truncated ? ", truncated" : "")"])
        #expect(driver.statistics.truncated == (truncated ? 1 : 0))
        #expect(driver.statistics.receivedBytes == UInt64(min(length, 4)))
    }

    @Test func whatTheSystemCutOffIsReported() {
        let driver = drive()
        driver.receive(Array("abc".utf8), lost: 70_000)
        #expect(log.take() == ["got 'abc' of 70003, truncated"])
    }

    @Test(arguments: 1...9)
    func joinedDatagramsAreSplitAgain(_ size: Int) {
        var limits = DatagramLimits()
        limits.maxPayload = 3
        let driver = drive(limits)
        let text = Array("abcdefgh".utf8)
        driver.receive(text, segment: size)
        var expected: [String] = []
        for start in stride(from: 0, to: text.count, by: size) {
            let piece = text[start..<min(start + size, text.count)]
            expected.append(
                "got '\(String(decoding: piece.prefix(3), as: UTF8.self))' of \(piece.count)\(piece.count > 3 ? ", truncated" : "")")
        }
        #expect(log.take() == expected)
        #expect(driver.takeSent().count == expected.count)
    }

    @Test func theQueueIsBoundedInDatagrams() {
        var limits = DatagramLimits()
        limits.maxQueuedDatagrams = 4
        let driver = drive(limits)
        driver.receive("flood")
        #expect(log.take() == ["got 'flood' of 5", "true", "true", "true", "true", "false"])
        #expect(driver.takeSent().count == 4)
        #expect(driver.statistics.dropped == 1)
        #expect(driver.statistics.sent == 4)
    }

    @Test(arguments: [(24, 1), (25, 0)])
    func theQueueIsBoundedInBytes(_ bytes: Int, _ dropped: UInt64) {
        var limits = DatagramLimits()
        limits.maxQueuedBytes = bytes
        let driver = drive(limits)
        driver.receive("flood")
        #expect(driver.statistics.dropped == dropped)
    }

    @Test func nothingIsReceivedUntilWhatWaitsIsSent() {
        let driver = drive()
        driver.setWindow(2)
        driver.receive("flood")
        #expect(!driver.wantsInput)
        #expect(!driver.receive("more"))
        driver.setWindow(2)
        #expect(!driver.wantsInput, "one still waits")
        _ = log.take()
        driver.setWindow(nil)
        #expect(log.take() == ["drained"])
        #expect(driver.wantsInput)
        #expect(driver.takeSent().count == 5)
    }

    @Test func whatTheSystemRefusesIsReported() {
        let driver = drive()
        driver.setWindow(0)
        driver.receive("x")
        _ = log.take()
        driver.refuse(errno: 90)
        #expect(log.take() == ["cannot send to 127.0.0.1:40000: Message too long", "drained"])
        #expect(driver.statistics.errors == 1)
        #expect(driver.wantsInput)
    }

    @Test func whatICMPSaysIsReported() {
        let driver = drive()
        let said = TestDatagramDriver.portUnreachable(from: .loopback(port: 0))
        driver.fail(errno: 111, destination: peer, icmp: said)
        #expect(log.take() == ["cannot send to 127.0.0.1:40000: Connection refused, says 127.0.0.1 by ICMP type 3 code 3"])
        #expect(said.isPortUnreachable)
    }

    @Test func answersDoNotHoldUpOthers() {
        let driver = drive()
        for command in ["perform", "await", "fail", "x"] { driver.receive(command) }
        #expect(driver.takeSent().map(\.text) == ["performed", "awaited", "x"])
        #expect(log.take().contains("failed"))
    }

    @Test func deadlinesFireOnceAndAtTheirTime() {
        let driver = drive()
        driver.receive("deadline")
        driver.advance(by: .milliseconds(4_999))
        #expect(log.take() == ["got 'deadline' of 8"])
        driver.advance(by: .milliseconds(1))
        driver.advance(by: .seconds(1_000))
        #expect(log.take() == ["deadline"])
        #expect(driver.closed == nil, "a socket that is silent stays open")
    }

    @Test func closingSendsWhatWaitsAndDeliversNothingMore() {
        let driver = drive()
        driver.setWindow(0)
        driver.receive("close")
        #expect(driver.closed == nil)
        #expect(!driver.receive("x"))
        driver.setWindow(nil)
        #expect(driver.takeSent().map(\.text) == ["close"])
        #expect(log.take() == ["got 'close' of 5", "closed finished"])
    }

    @Test func whatNobodyTakesHoldsUpAClosedSocketForAWhileOnly() {
        let driver = drive()
        driver.setWindow(0)
        driver.receive("close")
        driver.advance(by: .milliseconds(59_999))
        #expect(driver.closed == nil)
        driver.advance(by: .milliseconds(1))
        #expect(driver.closed == .writeStalled && driver.statistics.dropped == 1)
        #expect(log.take() == ["got 'close' of 5", "closed writeStalled"])
    }

    @Test func nothingOfAJoinedMessageIsDeliveredBehindAClose() {
        let driver = drive()
        driver.receive(Array("closecloseclose".utf8), segment: 5)
        #expect(log.take() == ["got 'close' of 5", "closed finished"])
    }

    @Test func abortingDropsAndCountsWhatWaits() {
        let driver = drive()
        driver.setWindow(0)
        driver.receive("abort")
        #expect(driver.closed == .aborted)
        #expect(driver.statistics.dropped == 1)
        #expect(driver.takeSent().isEmpty)
    }

    @Test func stoppingIsToldOnce() {
        let driver = drive()
        driver.setWindow(0)
        driver.receive("x")
        driver.stop()
        driver.stop()
        driver.setWindow(nil)
        #expect(log.take() == ["got 'x' of 1", "stopping", "closed finished"])
        #expect(driver.takeSent().map(\.text) == ["x"])
    }

    @Test(arguments: [
        (SocketAddress.ipv4(0x7F00_0001, port: 7), true), (.ipv4(0xE000_0001, port: 7), false),
        (.ipv4(0xFFFF_FFFF, port: 7), false), (.ipv6(high: 0, low: 1, port: 7), true),
        (.ipv6(high: 0xFF02_0000_0000_0000, low: 1, port: 7), false), (.ipv6(high: 0xFE80 << 48, low: 1, port: 7, scope: 3), true),
    ])
    func anOriginSaysWhereTheDatagramWasSentTo(_ local: SocketAddress, _ unicast: Bool) {
        let driver = drive()
        driver.receive(Array("where".utf8), to: local)
        #expect(log.take().last == "127.0.0.1:40000 at \(local), unicast \(unicast)")
    }
}
