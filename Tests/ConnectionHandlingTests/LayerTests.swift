import ConnectionHandling
import Glibc
import ReactorTesting
import ReactorWire
import TestSupport
import Testing

/// A layer between a connection and its transport: what is sealed, what is thrown away, and how it ends.
@Suite struct LayerTests {
    private final class Log {
        var events: [String] = []
    }

    /// Echoes lines in capitals; `up` starts a layer, `keep` one that keeps what has come, `quit` closes.
    private struct Upgrading: ConnectionHandler {
        let log: Log
        var fromTheStart = false
        var handshakeTime = Duration.seconds(10)

        mutating func connected(on connection: inout Connection) {
            log.events.append("connected")
            if fromTheStart { connection.start(ToyLayer(handshakeTime: handshakeTime)) }
        }

        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
            var framing = LenientLineFraming()
            return (try? framing.forEachFrame(in: bytes, on: &connection) { line, connection in
                let text = line.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                log.events.append(text)
                switch text {
                case "up", "keep":
                    connection.write("go\n")
                    connection.start(ToyLayer(handshakeTime: handshakeTime), keepingInput: text == "keep")
                case "early":
                    connection.start(ToyLayer(handshakeTime: handshakeTime))
                    connection.write("early\n")
                case "early quit":
                    connection.start(ToyLayer(handshakeTime: handshakeTime))
                    connection.write("bye\n")
                    connection.close()
                case "pause": connection.pauseReading()
                case "cork": connection.cork()
                case "half": connection.finishOutput()
                case "quit":
                    connection.write("bye\n")
                    connection.close()
                case "abort": connection.close(.aborting)
                default: connection.write(text + "!\n")
                }
            }) ?? bytes.byteCount
        }

        mutating func secured(on connection: inout Connection) { log.events.append("secured") }
        mutating func endOfInput(on connection: inout Connection) {
            log.events.append("end")
            connection.close()
        }
        mutating func closed(_ reason: CloseReason) { log.events.append("closed \(reason)") }
    }

    private let log = Log()

    private func drive(_ fromTheStart: Bool = false, handshakeTime: Duration = .seconds(10), window: Int? = nil) -> TestDriver {
        TestDriver(Upgrading(log: log, fromTheStart: fromTheStart, handshakeTime: handshakeTime), window: window)
    }

    private func text(_ driver: TestDriver) -> String { driver.takeOutput() }

    @Test func anUpgradeAnswersInPlainFirst() {
        let driver = drive()
        driver.receive("a\nup\n")
        #expect(text(driver) == "a!\ngo\n")
        driver.receive("H")
        #expect(text(driver) == "h")
        driver.receive(ToyLayer.sealed("b\n"))
        #expect(driver.takeOutput() == ToyLayer.sealed("b!\n"))
        #expect(log.events == ["connected", "a", "up", "secured", "b"])
    }

    /// The attack on STARTTLS: commands in plain behind it, to be taken for protected ones.
    @Test(arguments: ["evil\n", "evil", "Hd", "\n\n\n"])
    func whatComesInPlainBehindAnUpgradeIsThrownAway(_ injected: String) {
        let driver = drive()
        driver.receive("up\n" + injected)
        #expect(text(driver) == "go\n")
        driver.receive("H")
        driver.receive(ToyLayer.sealed("b\n"))
        #expect(driver.takeOutput() == Array("h".utf8) + ToyLayer.sealed("b!\n"))
        #expect(log.events == ["connected", "up", "secured", "b"])
    }

    /// The same where the handler had left it over from an earlier read.
    @Test func leftOversBehindAnUpgradeAreThrownAwayToo() {
        let driver = drive()
        for byte in "up" { driver.receive(String(byte)) }
        driver.receive("\nevil")
        driver.receive("H")
        driver.receive(ToyLayer.sealed("b\n"))
        #expect(log.events == ["connected", "up", "secured", "b"])
    }

    @Test func aLayerThatKeepsInputGetsAllOfIt() {
        let driver = drive()
        driver.receive(Array("keep\nH".utf8) + ToyLayer.sealed("b\nc\n") + Array("d".utf8))
        #expect(driver.takeOutput() == Array("go\nh".utf8) + ToyLayer.sealed("b!\nc!\n"))
        driver.receive([UInt8(ascii: "e") ^ 0x20])
        driver.receive(ToyLayer.sealed("\n"))
        #expect(driver.takeOutput() == ToyLayer.sealed("e!\n"))
    }

    @Test func outputWaitsForTheHandshake() {
        let driver = drive()
        driver.receive("early\n")
        #expect(text(driver) == "")
        driver.receive("H")
        #expect(driver.takeOutput() == Array("h".utf8) + ToyLayer.sealed("early\n"))
    }

    /// The close waits too, and says so to the peer at the end.
    @Test func aCloseWaitsForTheHandshakeWhereOutputDoes() {
        let driver = drive()
        driver.receive("early quit\n")
        #expect(driver.closed == nil)
        #expect(driver.wantsInput)
        driver.receive("H")
        #expect(driver.takeOutput() == Array("h".utf8) + ToyLayer.sealed("bye\n") + Array("f".utf8))
        #expect(driver.closed == .finished)
        #expect(log.events == ["connected", "early quit", "closed finished"])
    }

    @Test func aCloseThatWaitsForTheHandshakeEndsWithItsTime() {
        let driver = drive()
        driver.receive("early quit\n")
        driver.advance(by: .milliseconds(9_999))
        #expect(driver.closed == nil)
        driver.advance(by: .milliseconds(1))
        #expect(driver.closed == .tlsFailed(TLSFailure(.handshakeTimedOut)))
        #expect(text(driver) == "")
    }

    @Test func aHandshakeThatStallsIsCutOff() {
        let driver = drive(true, handshakeTime: .seconds(3))
        driver.advance(by: .milliseconds(2_999))
        #expect(driver.closed == nil)
        driver.advance(by: .milliseconds(1))
        #expect(driver.closed == .tlsFailed(TLSFailure(.handshakeTimedOut)))
        #expect(log.events.last == "closed \(CloseReason.tlsFailed(TLSFailure(.handshakeTimedOut)))")
    }

    /// The handshake's time ends with it.
    @Test func aHandshakeInTimeHasNoDeadlineLeft() {
        let driver = drive(true, handshakeTime: .seconds(3))
        driver.receive("H")
        driver.advance(by: .seconds(200))
        #expect(driver.closed == nil)
    }

    @Test func everyClosingSaysSo() {
        let driver = drive(true)
        driver.receive("H")
        driver.receive(ToyLayer.sealed("quit\n"))
        #expect(driver.takeOutput() == Array("h".utf8) + ToyLayer.sealed("bye\n") + Array("f".utf8))
        #expect(driver.closed == .finished)
    }

    @Test func anAbortSaysNothing() {
        let driver = drive(true)
        driver.receive("H")
        #expect(text(driver) == "h")
        driver.receive(ToyLayer.sealed("abort\n"))
        #expect(text(driver) == "")
        #expect(driver.closed == .aborted)
    }

    @Test func halfCloseSaysSoAndInputGoesOn() {
        let driver = drive(true)
        driver.receive("H")
        driver.receive(ToyLayer.sealed("half\n"))
        #expect(text(driver) == "hf")
        #expect(driver.outputEnded && driver.closed == nil)
        driver.receive(ToyLayer.sealed("b\n"))
        #expect(log.events.last == "b")
    }

    @Test func thePeersLastWordEndsTheInput() {
        let driver = drive(true)
        driver.receive("H")
        driver.receive(ToyLayer.sealed("b\n") + Array("f".utf8) + ToyLayer.sealed("evil\n"))
        #expect(driver.closed == .finished)
        #expect(log.events == ["connected", "secured", "b", "end", "closed finished"])
    }

    @Test func aStreamThatIsCutOffIsToldApart() {
        let driver = drive(true)
        driver.receive("H")
        driver.receive(ToyLayer.sealed("b\n"))
        driver.receiveEndOfInput()
        #expect(driver.closed == .tlsFailed(TLSFailure(.truncated)))
        #expect(log.events.dropLast() == ["connected", "secured", "b"])
    }

    @Test func anEndInTheHandshakeIsToldApart() {
        let driver = drive(true)
        driver.receiveEndOfInput()
        #expect(driver.closed == .tlsFailed(TLSFailure(.handshakeCutOff)))
    }

    @Test(arguments: [true, false]) func anAlertEndsTheConnection(_ afterwards: Bool) {
        let driver = drive(true)
        if afterwards { driver.receive("H") }
        driver.receive("x")
        #expect(driver.closed == .tlsFailed(TLSFailure(.alert(40))))
    }

    /// What was written and not sealed is not sent; the alert is.
    @Test func aViolationIsAnsweredByTheAlertAlone() {
        let driver = drive(true)
        driver.receive("H")
        _ = text(driver)
        driver.setWindow(0)
        driver.receive(ToyLayer.sealed("b\n") + Array("?".utf8))
        driver.setWindow(nil)
        #expect(text(driver) == "x")
        #expect(driver.closed == .tlsFailed(TLSFailure(.violation)))
        #expect(log.events.dropLast() == ["connected", "secured", "b"])
    }

    /// A handler that is paused still has its handshake.
    @Test func aHandshakeGoesOnWhileReadingIsPaused() {
        let driver = drive()
        driver.receive("early\npause\n")
        // Thrown away with the rest: it came in plain.
        #expect(log.events == ["connected", "early"])
        driver.receive(Array("H".utf8) + ToyLayer.sealed("pause\n") + ToyLayer.sealed("b\n"))
        #expect(!driver.wantsInput)
        #expect(log.events == ["connected", "early", "secured", "pause"])
    }

    @Test func aCorkHoldsWhatIsNotSealed() {
        let driver = drive(true)
        driver.receive("H")
        driver.receive(ToyLayer.sealed("cork\nb\n"))
        #expect(text(driver) == "h")
        driver.receive(ToyLayer.sealed("quit\n"))
        #expect(driver.takeOutput() == ToyLayer.sealed("b!\nbye\n") + Array("f".utf8))
    }

    /// The wire counts as output that waits.
    @Test func aPeerThatReadsNothingIsCutOff() {
        struct Flooding: ConnectionHandler {
            mutating func connected(on connection: inout Connection) { connection.start(ToyLayer()) }
            mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
                connection.write([UInt8](repeating: 65, count: 1_000).span.bytes)
                return bytes.byteCount
            }
        }
        var limits = ConnectionLimits()
        (limits.lowWatermark, limits.highWatermark, limits.maxQueuedOutput) = (10, 1_500, 2_500)
        let driver = TestDriver(Flooding(), limits: limits)
        driver.receive("H")
        driver.setWindow(0)
        driver.receive(ToyLayer.sealed("a"))
        #expect(driver.closed == nil && !driver.wantsInput, "sealed, 2,000 bytes wait")
        driver.setWindow(nil)
        #expect(driver.wantsInput)
    }

    // MARK: In the middle of a message of the layer's own

    @Test func outputWaitsForTheRestOfAMessage() {
        let driver = drive(true)
        driver.receive(Array("H".utf8) + ToyLayer.sealed("b\n") + Array("m".utf8))
        #expect(text(driver) == "h")
        driver.receive(".")
        #expect(driver.takeOutput() == ToyLayer.sealed("b!\n"))
    }

    /// Otherwise neither output nor the rest would ever move.
    @Test func theRestOfAMessageIsReadWhileReadingIsPaused() {
        let driver = drive(true)
        driver.receive(Array("H".utf8) + ToyLayer.sealed("b\npause\n") + Array("m".utf8))
        #expect(driver.wantsInput)
        driver.receive(".")
        #expect(!driver.wantsInput)
        #expect(driver.takeOutput() == Array("h".utf8) + ToyLayer.sealed("b!\n"))
    }

    /// A peer that is always in the middle of one does not fill the memory of a handler that is held up.
    @Test func whatComesWithTheRestOfAMessageIsBounded() {
        let driver = drive(true)
        driver.receive(Array("H".utf8) + ToyLayer.sealed("pause\n") + Array("m".utf8))
        var taken = 0
        while driver.wantsInput && taken < 10_000_000 {
            taken += 1_000
            driver.receive(Array(".".utf8) + ToyLayer.sealed(String(repeating: "a", count: 1_000)) + Array("m".utf8))
        }
        let limit = ConnectionLimits().maxUnconsumedInput
        #expect(taken > limit && taken <= limit + 1_000)
    }

    @Test(arguments: ["b\n", "quit\n"]) func aMessageWithoutItsRestIsCutOff(_ last: String) {
        let driver = drive(true, handshakeTime: .seconds(3))
        driver.receive("H")
        driver.advance(by: .seconds(5))
        driver.receive(ToyLayer.sealed(last) + Array("m".utf8))
        driver.advance(by: .milliseconds(2_999))
        #expect(driver.closed == nil)
        driver.advance(by: .milliseconds(1))
        #expect(driver.closed == .tlsFailed(TLSFailure(.handshakeTimedOut)))
        #expect(text(driver) == "h")
    }

    @Test func aCloseWaitsForTheRestOfAMessage() {
        let driver = drive(true)
        driver.receive(Array("H".utf8) + ToyLayer.sealed("quit\n") + Array("m".utf8))
        #expect(driver.closed == nil)
        driver.receive(".")
        #expect(driver.takeOutput() == Array("h".utf8) + ToyLayer.sealed("bye\n") + Array("f".utf8))
        #expect(driver.closed == .finished)
    }

    // MARK: Layers that fail without input

    @Test(arguments: [true, false]) func aLayerThatFailsWithoutInputEndsTheConnection(_ atOnce: Bool) {
        final class Failing: ConnectionLayer {
            let atOnce: Bool
            init(atOnce: Bool) {
                self.atOnce = atOnce
                super.init(handshakeTime: .seconds(10))
            }
            override func start() { if atOnce { fail() } else { isHandshaking = false } }
            override func seal(_ output: RawSpan) { fail() }
            private func fail() {
                wire.append("x")
                failure = TLSFailure(.system)
            }
        }
        struct Starting: ConnectionHandler {
            let layer: Failing
            mutating func connected(on connection: inout Connection) {
                connection.start(layer)
                connection.write("hello")
            }
            mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
        }
        let driver = TestDriver(Starting(layer: Failing(atOnce: atOnce)))
        #expect(driver.closed == .tlsFailed(TLSFailure(.system)))
        #expect(text(driver) == "x")
    }

    /// Traffic that holds nothing for the handler does not count as life.
    @Test func aPeerThatOnlyKeepsTheLayerBusyIsIdle() {
        let driver = drive(true)
        driver.receive("H")
        for _ in 0..<11 where driver.closed == nil {
            driver.advance(by: .seconds(30))
            driver.receive("n")
        }
        #expect(driver.closed == .idle)
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func mixedOutputIsSealedInOrder(_ seed: UInt64) throws {
        let mix = try OutputMix(seed: seed, pieces: 40, largest: 9_000)
        struct Mixing: ConnectionHandler {
            var mix: OutputMix
            mutating func connected(on connection: inout Connection) { connection.start(ToyLayer()) }
            mutating func secured(on connection: inout Connection) { mix.write(on: &connection) }
            mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
            mutating func drained(on connection: inout Connection) { mix.write(on: &connection) }
        }
        var random = SeededGenerator(seed: seed)
        let driver = TestDriver(Mixing(mix: mix), window: 1)
        driver.receive("H")
        var output: [UInt8] = driver.takeOutput()
        var rounds = 0
        while output.count < 1 + 2 * mix.expected.count && rounds < 1_000_000 {
            driver.setWindow(Int.random(in: 1...30_000, using: &random))
            output += driver.takeOutput() as [UInt8]
            rounds += 1
        }
        let plain = stride(from: 2, to: output.count, by: 2).map { output[$0] ^ 0x20 }
        #expect(plain == mix.expected, "seed \(seed)")
    }
}
