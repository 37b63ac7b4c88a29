import ConnectionHandling
import ReactorTesting
import Testing

/// The least that a peer must send in the middle of a message: 10 bytes a second over 4 seconds here, 40 bytes.
@Suite struct ReceiveRateTests {
    /// Messages end with a full stop. Commands in front of one: `a` awaits, `p` pauses for 100 s, `w` writes.
    private struct Messages: ConnectionHandler {
        /// Consumes bytes as they come, and says that it is in the middle of a message.
        var streams = false
        var answer: Awaited<Int>?

        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
            let input = (0..<bytes.byteCount).map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
            if streams {
                connection.isMidMessage = input.last != UInt8(ascii: ".")
                return input.count
            }
            if input.first == UInt8(ascii: "p") {
                connection.pauseReading()
                connection.setDeadline(after: .seconds(100))
                return 1
            }
            if input.first == UInt8(ascii: "w") {
                for _ in 0..<100 { connection.write("0123456789") }
                return 1
            }
            guard let end = input.lastIndex(of: UInt8(ascii: ".")) else { return 0 }
            return end + 1
        }

        mutating func deadlineExpired(on connection: inout Connection) { connection.resumeReading() }
        mutating func endOfInput(on connection: inout Connection) { connection.setDeadline(after: .seconds(50)) }
    }

    private func drive(streams: Bool = false) -> TestDriver {
        var limits = ConnectionLimits()
        limits.minReceiveRate = 10
        limits.receiveRateWindow = .seconds(4)
        limits.idle = .seconds(1_000)
        limits.lowWatermark = 10
        limits.highWatermark = 500
        return TestDriver(Messages(streams: streams), limits: limits)
    }

    private func send(_ count: Int, to driver: TestDriver) { driver.receive([UInt8](repeating: 0x78, count: count)) }

    @Test(arguments: [false, true])
    func theLimitIsEnoughAndOneByteLessIsNot(_ streams: Bool) {
        for (count, closed) in [(40, nil), (39, CloseReason.receivedTooSlowly)] {
            let driver = drive(streams: streams)
            send(1, to: driver)
            driver.advance(by: .seconds(2))
            send(count, to: driver)
            driver.advance(by: .milliseconds(1_999))
            #expect(driver.closed == nil, "it is measured over the whole window")
            driver.advance(by: .milliseconds(1))
            #expect(driver.closed == closed, "\(count) bytes")
        }
    }

    @Test(arguments: [false, true])
    func everyWindowIsMeasured(_ streams: Bool) {
        let driver = drive(streams: streams)
        send(1, to: driver)
        for _ in 0..<5 {
            send(40, to: driver)
            driver.advance(by: .seconds(4))
        }
        #expect(driver.closed == nil)
        driver.advance(by: .seconds(4))
        #expect(driver.closed == .receivedTooSlowly)
    }

    @Test(arguments: [false, true])
    func betweenMessagesAPeerMayBeSilent(_ streams: Bool) {
        let driver = drive(streams: streams)
        driver.advance(by: .seconds(100))
        driver.receive("xx")
        driver.advance(by: .seconds(3))
        driver.receive(".")
        driver.advance(by: .seconds(100))
        #expect(driver.closed == nil)
        driver.receive("x")
        driver.advance(by: .seconds(4))
        #expect(driver.closed == .receivedTooSlowly)
    }

    @Test func nothingIsOwedWhileTheHandlerPauses() {
        let driver = drive()
        driver.receive("pxx")
        driver.advance(by: .seconds(99))
        #expect(driver.closed == nil)
        driver.advance(by: .seconds(1))
        driver.advance(by: .milliseconds(3_999))
        #expect(driver.closed == nil, "the window begins when the handler takes input again")
        driver.advance(by: .milliseconds(1))
        #expect(driver.closed == .receivedTooSlowly)
    }

    /// A peer is held to the rate although the handler awaits something after each of its pieces.
    @Test func aWindowGoesOnBehindAPause() {
        var limits = ConnectionLimits()
        limits.minReceiveRate = 10
        limits.receiveRateWindow = .seconds(4)
        let driver = TestDriver(Pieces(), limits: limits)
        for second in 0..<4 {
            #expect(driver.closed == nil, "\(second) s")
            send(1, to: driver)
            driver.advance(by: .seconds(1))
        }
        #expect(driver.closed == .receivedTooSlowly)

        let fast = TestDriver(Pieces(), limits: limits)
        for _ in 0..<20 {
            send(15, to: fast)
            fast.advance(by: .seconds(1))
        }
        #expect(fast.closed == nil)
    }

    /// Of a message that has no end; something is awaited after each.
    private struct Pieces: ConnectionHandler {
        private var answer: Awaited<Int>?

        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
            connection.isMidMessage = true
            answer = connection.perform { 1 }
            return bytes.byteCount
        }
        mutating func answered(on connection: inout Connection) { answer = nil }
    }

    @Test func nothingIsOwedWhileThePeersOwnOutputWaits() {
        let driver = drive()
        driver.setWindow(0)
        driver.receive("w")
        driver.receive("xx")
        driver.advance(by: .seconds(100))
        #expect(driver.closed == nil)
        driver.setWindow(nil)
        driver.advance(by: .seconds(4))
        #expect(driver.closed == .receivedTooSlowly)
    }

    @Test func nothingIsOwedBehindTheEndOfInput() {
        let driver = drive()
        driver.receive("xx")
        driver.receiveEndOfInput()
        driver.advance(by: .seconds(40))
        #expect(driver.closed == nil)
    }
}
