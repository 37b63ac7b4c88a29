import ConnectionHandling
import ReactorTesting
import TestSupport
import Testing

@testable import reactor

/// `reactor serve chargen`, the Character Generator Protocol (RFC 864): output without end, as the peer takes it.
@Suite(.timeLimit(.minutes(40))) struct ChargenTests {
    /// The lines that the RFC shows until they repeat, made another way than the handler makes them.
    private static let lines: [UInt8] = {
        var bytes: [UInt8] = []
        for first in UInt8(0x20)...0x7E {
            var character = first
            for _ in 0..<72 {
                bytes.append(character)
                character = character == 0x7E ? 0x20 : character + 1
            }
            bytes += [0x0D, 0x0A]
        }
        return bytes
    }()

    private static func pattern(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count { bytes += lines }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Whatever the peer takes at a time, no byte is lost or doubled where the output waits and goes on.
    @Test(arguments: [1, 999, 65_536])
    func itWritesOnAsThePeerReads(_ window: Int) {
        var limits = ConnectionLimits()
        (limits.lowWatermark, limits.highWatermark) = (1_000, 10_000)
        let driver = TestDriver(CharacterGenerator(), limits: limits, window: 0)
        var received: [UInt8] = []
        let turns = min(20_000, 400_000 / window)
        for _ in 0..<turns {
            driver.setWindow(window)
            received += driver.takeOutput() as [UInt8]
        }
        #expect(received == Self.pattern(received.count))
        #expect(received.count == turns * window)
        #expect(driver.closed == nil)
    }

    @Test func itIgnoresWhatItReceivesAndEndsWithThePeer() {
        var limits = ConnectionLimits()
        limits.maxUnconsumedInput = 100
        let driver = TestDriver(CharacterGenerator(), limits: limits, window: 0)
        // Not read while the output waits, and nothing else is waited for.
        #expect(!driver.wantsInput)
        driver.receive("hello")
        driver.receiveEndOfInput()
        #expect(driver.closed == nil)
        driver.advance(by: .seconds(59))
        driver.reset()
        #expect(driver.closed == .failed(errno: 104))
    }

    @Test(arguments: architectures)
    func aClientReadsThePattern(_ architecture: String) throws {
        let server = try ServerProcess(
            "reactor", ["serve", "chargen", "--listen", "127.0.0.1:0", "--architecture", architecture])
        let client = try TestClient(server.addresses[0])
        let count = 8 * 1_024 * 1_024
        #expect(client.receiveBytes(count: count) == Self.pattern(count))
        #expect(server.output.hasPrefix("listening on chargen://"))
        client.resetOnClose()
        server.stop()
    }

    /// A peer that asks for nothing more and reads to the end gets an end.
    @Test(arguments: architectures)
    func itStopsWhenItIsToldTo(_ architecture: String) throws {
        let server = try ServerProcess(
            "reactor", ["serve", "chargen", "--listen", "127.0.0.1:0", "--architecture", architecture])
        let client = try TestClient(server.addresses[0])
        #expect(client.receiveBytes(count: 74) == Self.pattern(74))
        server.signal(15)
        let rest = client.receiveToEnd()
        #expect(!rest.reset)
        #expect(Array(rest.text.utf8) == Array(Self.pattern(rest.text.utf8.count + 74)[74...]))
        #expect(server.waitForExit() == 0)
    }
}
