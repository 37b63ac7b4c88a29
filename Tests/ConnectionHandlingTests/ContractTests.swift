import ConnectionHandling
import ReactorTesting
import Synchronization
import Testing

/// A handler that does what its input says, and writes down what it was told: the contract, event by event.
private struct Scripted: ConnectionHandler {
    let log: Log
    var answer: Awaited<Int>?
    var chunks = 0

    final class Log: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        func take() -> [String] { lines.withLock { kept in defer { kept = [] }; return kept } }
    }

    init(_ log: Log) { self.log = log }

    mutating func connected(on connection: inout Connection) { log.add("connected") }

    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        var used = 0
        while used < bytes.byteCount {
            if connection.isAwaiting || connection.isClosing || connection.isBackedUp { break }
            let command = bytes[used]
            used += 1
            log.add("got \(Character(UnicodeScalar(command)))")
            switch command {
            case UInt8(ascii: "a"): answer = connection.perform { 42 }
            case UInt8(ascii: "s"): answer = connection.await { 43 }
            case UInt8(ascii: "f"): answer = connection.perform { throw CancellationError() }
            case UInt8(ascii: "d"): connection.setDeadline(after: .seconds(5))
            case UInt8(ascii: "h"): connection.finishOutput()
            case UInt8(ascii: "q"): connection.close()
            case UInt8(ascii: "x"): connection.close(.aborting)
            case UInt8(ascii: "p"):
                connection.pauseReading()
                connection.setDeadline(after: .seconds(1))
                return used
            case UInt8(ascii: "2"):
                if bytes.byteCount - used < 2 { return used - 1 }
                log.add("pair \(bytes.slice(used..<used + 2).text)")
                used += 2
            case UInt8(ascii: "w"): for _ in 0..<64 { connection.write("0123456789abcdef") }
            default: connection.write("\(Character(UnicodeScalar(command)))")
            }
        }
        return used
    }

    mutating func endOfInput(on connection: inout Connection) {
        log.add("end")
        connection.close()
    }
    mutating func deadlineExpired(on connection: inout Connection) {
        log.add("deadline")
        connection.resumeReading()
    }
    mutating func answered(on connection: inout Connection) {
        switch answer?.take() {
        case .success(let value): log.add("answer \(value)")
        case .failure: log.add("answer failed")
        case nil: log.add("answer missing")
        }
    }
    mutating func drained(on connection: inout Connection) { log.add("drained") }
    mutating func stopping(on connection: inout Connection) { log.add("stopping"); connection.close() }
    mutating func closed(_ reason: CloseReason) { log.add("closed \(reason)") }
}

extension RawSpan {
    fileprivate subscript(_ offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }
    fileprivate func slice(_ range: Range<Int>) -> [UInt8] { range.map { self[$0] } }
}

extension [UInt8] {
    fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}

@Suite struct ContractTests {
    private let log = Scripted.Log()

    private func drive(limits: ConnectionLimits = .default) -> TestDriver {
        let driver = TestDriver(Scripted(log), limits: limits)
        #expect(log.take() == ["connected"])
        return driver
    }

    @Test func unconsumedBytesAreLentAgainWithMoreBehindThem() {
        let driver = drive()
        driver.receive("2x")
        #expect(log.take() == ["got 2"])
        driver.receive("yz")
        #expect(log.take() == ["got 2", "pair xy", "got z"])
        #expect(driver.takeOutput() == "z")
    }

    @Test(arguments: [("a", "answer 42"), ("s", "answer 43"), ("f", "answer failed")])
    func inputWaitsWhileAnAnswerIsAwaited(_ command: String, _ outcome: String) {
        let driver = drive()
        driver.receive(command + "yz")
        #expect(log.take() == ["got \(command)", outcome, "got y", "got z"])
        #expect(driver.takeOutput() == "yz")
    }

    @Test func theEndOfInputComesBehindEveryByte() {
        let driver = drive()
        driver.receive("py")
        driver.receiveEndOfInput()
        #expect(log.take() == ["got p"])
        driver.advance(by: .seconds(1))
        #expect(log.take() == ["deadline", "got y", "end", "closed finished"])
        #expect(driver.takeOutput() == "y")
        #expect(driver.closed == .finished)
    }

    @Test func deadlinesFireOnceAndAtTheirTime() {
        let driver = drive()
        driver.receive("d")
        driver.advance(by: .milliseconds(4_999))
        #expect(log.take() == ["got d"])
        driver.advance(by: .milliseconds(1))
        #expect(log.take() == ["deadline"])
        driver.advance(by: .seconds(20))
        #expect(log.take() == [])
    }

    @Test func silenceIsClosedByDefault() {
        let driver = drive()
        driver.advance(by: .seconds(299))
        driver.receive("y")
        driver.advance(by: .seconds(299))
        #expect(driver.closed == nil)
        driver.advance(by: .seconds(1))
        #expect(driver.closed == .idle)
        #expect(log.take() == ["got y", "closed idle"])
    }

    @Test func aPeerThatDoesNotReadHoldsBackItsOwnInput() {
        var limits = ConnectionLimits()
        limits.highWatermark = 1_500
        limits.lowWatermark = 100
        let driver = drive(limits: limits)
        driver.setWindow(0)
        driver.receive("wwyz")
        #expect(log.take() == ["got w", "got w"])
        #expect(!driver.wantsInput)
        driver.setWindow(1_000)
        #expect(log.take() == [])
        #expect(!driver.wantsInput, "between the watermarks it still waits")
        driver.setWindow(nil)
        #expect(log.take() == ["drained", "got y", "got z"])
        #expect((driver.takeOutput() as [UInt8]).count == 2 * 1_024 + 2)
        #expect(driver.wantsInput)
    }

    @Test func writingPastTheHardLimitCutsThePeerOff() {
        var limits = ConnectionLimits()
        limits.lowWatermark = 100
        limits.highWatermark = 1_000
        limits.maxQueuedOutput = 1_000
        let driver = drive(limits: limits)
        driver.setWindow(0)
        driver.receive("w")
        #expect(driver.closed == .outputOverflow)
    }

    @Test func leavingTooMuchUnconsumedCutsThePeerOff() {
        struct Hoarder: ConnectionHandler {
            mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { 0 }
        }
        var limits = ConnectionLimits()
        limits.maxUnconsumedInput = 10
        let driver = TestDriver(Hoarder(), limits: limits)
        driver.receive("0123456789")
        #expect(driver.closed == nil)
        driver.receive("x")
        #expect(driver.closed == .inputOverflow)
    }

    @Test func aClosingConnectionHasNoDeadlines() {
        let driver = drive()
        driver.setWindow(0)
        driver.receive("dyq")
        driver.advance(by: .seconds(1_000))
        #expect(log.take() == ["got d", "got y", "got q"])
        driver.setWindow(nil)
        #expect(driver.closed == .finished)
        #expect(driver.takeOutput() == "y")
    }

    @Test func halfCloseLetsInputGoOn() {
        let driver = drive()
        driver.receive("yhz")
        #expect(driver.outputEnded)
        #expect(driver.closed == nil)
        driver.receiveEndOfInput()
        #expect(driver.closed == .finished)
    }

    @Test func nothingIsDeliveredBehindAClose() {
        let driver = drive()
        driver.receive("yqz")
        #expect(log.take() == ["got y", "got q", "closed finished"])
        driver.receive("z")
        driver.stop()
        #expect(log.take() == [])
        #expect(driver.takeOutput() == "y")
    }

    @Test func abortingDropsTheOutput() {
        let driver = drive()
        driver.receive("yx")
        #expect(driver.takeOutput() == "")
        #expect(driver.closed == .aborted)
    }

    @Test func aStoppingServerIsToldOnce() {
        let driver = drive()
        driver.stop()
        #expect(log.take() == ["stopping", "closed finished"])
    }
}
