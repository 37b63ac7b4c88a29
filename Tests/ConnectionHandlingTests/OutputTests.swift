import ConnectionHandling
import Glibc
import ReactorTesting
import ReactorWire
import TestSupport
import Testing

/// Output of every kind, and when it is held back.
@Suite struct OutputTests {
    /// Writes a mix as fast as it may, and counts how often it was told to wait and to go on.
    private final class Counts {
        var backedUp = 0
        var drained = 0
    }

    private struct Mixing: ConnectionHandler {
        var mix: OutputMix
        let counts: Counts
        mutating func connected(on connection: inout Connection) { mix.write(on: &connection) }
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
        mutating func backedUp(on connection: inout Connection) { counts.backedUp += 1 }
        mutating func drained(on connection: inout Connection) {
            counts.drained += 1
            mix.write(on: &connection)
        }
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func mixedOutputArrivesInOrder(_ seed: UInt64) throws {
        let mix = try OutputMix(seed: seed, pieces: 40, largest: 9_000)
        var random = SeededGenerator(seed: seed)
        var limits = ConnectionLimits()
        limits.highWatermark = Int.random(in: 2...20_000, using: &random)
        limits.lowWatermark = Int.random(in: 0..<limits.highWatermark, using: &random)
        let counts = Counts()
        let driver = TestDriver(Mixing(mix: mix, counts: counts), limits: limits)
        var output: [UInt8] = driver.takeOutput()
        var rounds = 0
        while output.count < mix.expected.count && rounds < 1_000_000 {
            driver.setWindow(Int.random(in: 1...3_000, using: &random))
            output += driver.takeOutput() as [UInt8]
            rounds += 1
        }
        #expect(output == mix.expected, "seed \(seed)")
        #expect(counts.backedUp == counts.drained, "told once each")
        #expect(driver.closed == nil)
    }

    /// Does what each closure says, one for each input.
    private struct Steps: ConnectionHandler {
        var steps: [(inout Connection) -> Void]
        let counts: Counts
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
            if !steps.isEmpty { steps.removeFirst()(&connection) }
            return bytes.byteCount
        }
        mutating func backedUp(on connection: inout Connection) { counts.backedUp += 1 }
        mutating func drained(on connection: inout Connection) { counts.drained += 1 }
    }

    private func drive(_ counts: Counts = Counts(), _ steps: ((inout Connection) -> Void)...) -> TestDriver {
        var limits = ConnectionLimits()
        limits.lowWatermark = 10
        limits.highWatermark = 100
        limits.maxQueuedOutput = 200
        return TestDriver(Steps(steps: steps, counts: counts), limits: limits)
    }

    private static func write(_ count: Int, _ connection: inout Connection) {
        connection.write([UInt8](repeating: 0x78, count: count).span.bytes)
    }

    @Test func aCorkHoldsUntilTheHighWatermark() {
        let counts = Counts()
        let driver = drive(counts, { $0.cork(); Self.write(99, &$0) }, { Self.write(1, &$0) }, { Self.write(5, &$0) })
        driver.receive("x")
        #expect(driver.takeOutput() == "")
        // Stopped short between the watermarks, the rest must still go.
        driver.setWindow(50)
        driver.receive("x")
        #expect((driver.takeOutput() as [UInt8]).count == 50)
        #expect(counts.backedUp == 1 && counts.drained == 0)
        driver.setWindow(nil)
        #expect((driver.takeOutput() as [UInt8]).count == 50)
        #expect(counts.backedUp == 1 && counts.drained == 1)
        driver.receive("x")
        #expect((driver.takeOutput() as [UInt8]).count == 5)
    }

    @Test func theEndOfTheOutputTakesTheCork() {
        let driver = drive(Counts(), { $0.cork(); $0.write("kept") }, { $0.finishOutput() })
        driver.receive("x")
        #expect(driver.takeOutput() == "" && !driver.outputEnded)
        driver.receive("x")
        #expect(driver.takeOutput() == "kept" && driver.outputEnded)
        driver.receiveEndOfInput()
        #expect(driver.closed == .finished)
    }

    @Test func callbacksComeOnceForEachTime() {
        let counts = Counts()
        let driver = drive(counts, { Self.write(150, &$0) }, { Self.write(99, &$0) }, { Self.write(100, &$0) })
        driver.setWindow(0)
        driver.receive("x")
        #expect(counts.backedUp == 1 && counts.drained == 0)
        driver.setWindow(139)
        #expect(counts.drained == 0, "one byte above the low watermark")
        driver.setWindow(1)
        #expect(counts.drained == 1)
        driver.setWindow(10)
        driver.receive("x")
        #expect(counts.backedUp == 1, "one byte below the high watermark")
        driver.setWindow(nil)
        driver.setWindow(0)
        driver.receive("x")
        #expect(counts.backedUp == 2 && counts.drained == 1)
        driver.setWindow(nil)
        #expect(counts.backedUp == 2 && counts.drained == 2)
    }

    @Test func sharedBytesCountLikeOutput() {
        let shared = SharedBytes(copying: [UInt8](repeating: 0x78, count: 5_000).span.bytes)
        let driver = drive(Counts(), { $0.write(shared) })
        driver.setWindow(0)
        driver.receive("x")
        #expect(driver.closed == .outputOverflow)
    }

    @Test func whatWasSentIsLetGoAtOnce() throws {
        var pairs: [[CInt]] = []
        for _ in 0..<3 {
            var pair: [CInt] = [0, 0]
            try #require(pipe(&pair) == 0)
            pairs.append(pair)
        }
        defer { for pair in pairs { close(pair[0]) } }
        let writing = pairs.map { $0[1] }
        let driver = drive(Counts(), { connection in
            for number in writing { connection.write([1].span.bytes, passing: Descriptor(owning: number)) }
        })
        func isEnded(_ index: Int) -> Bool {
            var entry = pollfd(fd: pairs[index][0], events: Int16(POLLIN), revents: 0)
            return poll(&entry, 1, 0) > 0
        }
        driver.setWindow(1)
        driver.receive("x")
        #expect(isEnded(0) && !isEnded(1) && !isEnded(2))
        driver.reset()
        withExtendedLifetime(driver) { #expect(isEnded(1) && isEnded(2), "what was not sent goes with the connection") }
    }

    @Test func aFileThatBecameShorterCutsTheConnectionOff() throws {
        let file = try temporaryFile([UInt8](repeating: 0x78, count: 50))
        let driver = drive(Counts(), { $0.write(file, count: 60); $0.write("behind") })
        driver.receive("x")
        #expect(driver.closed == .aborted)
        #expect((driver.takeOutput() as [UInt8]).count == 50)
    }
}
