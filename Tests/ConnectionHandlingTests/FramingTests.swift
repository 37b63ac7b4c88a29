import ConnectionHandling
import ReactorTesting
import ReactorWire
import Testing

/// Answers frames, and does what some of them say.
private struct Framed: ConnectionHandler {
    private var framing = NetstringFraming()
    private var count = 0
    private var answer: Awaited<Int>?

    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        do {
            return try framing.forEachFrame(in: bytes, on: &connection) { frame, connection in
                count += 1
                connection.write("\(count)\(frame.text) ")
                switch frame.text {
                case "close": connection.close()
                case "await": answer = connection.perform { 1 }
                case "pause":
                    connection.pauseReading()
                    connection.setDeadline(after: .seconds(1))
                case "much": for _ in 0..<300 { connection.write("0123456789") }
                default: break
                }
            }
        } catch {
            connection.close(.aborting)
            return 0
        }
    }

    mutating func answered(on connection: inout Connection) { connection.write("answered ") }
    mutating func deadlineExpired(on connection: inout Connection) { connection.resumeReading() }
}

@Suite struct HandlerFramingTests {
    @Test func framesAreHandledInTurnAndTheRestIsKept() {
        let driver = TestDriver(Framed())
        driver.receive("1:a,1:b,1:")
        #expect(driver.takeOutput() == "1a 2b ")
        driver.receive("c,")
        #expect(driver.takeOutput() == "3c ")
    }

    @Test func aHeldConnectionGoesOnWhenItIsNoLongerHeld() {
        let driver = TestDriver(Framed())
        driver.receive("5:await,1:a,5:pause,1:b,5:close,1:c,")
        #expect(driver.takeOutput() == "1await answered 2a 3pause ")
        driver.advance(by: .seconds(1))
        #expect(driver.takeOutput() == "4b 5close ")
        #expect(driver.closed == .finished)
    }

    @Test func aPeerThatDoesNotReadHoldsBackItsFrames() {
        var limits = ConnectionLimits()
        (limits.lowWatermark, limits.highWatermark) = (100, 2_000)
        let driver = TestDriver(Framed(), limits: limits)
        driver.setWindow(0)
        driver.receive("4:much,1:a,")
        driver.setWindow(1_000)
        #expect((driver.takeOutput() as [UInt8]).count == 1_000)
        driver.setWindow(nil)
        #expect((driver.takeOutput() as String).hasSuffix("2a "))
    }

    @Test func aViolationEndsIt() {
        let driver = TestDriver(Framed())
        driver.receive("1:a,01:b,")
        #expect(driver.closed == .aborted)
    }
}
