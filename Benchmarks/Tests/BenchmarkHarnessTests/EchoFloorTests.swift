import CBenchSystem
import Foundation
import Glibc
import Testing

@testable import BenchmarkHarness

@Suite struct EchoFloorTests {
    /// More than both sockets hold, to a peer that reads late: short writes, and input held back meanwhile.
    @Test func everyByteComesBackToASlowReader() throws {
        let server = try ServerProcess.start(.floor, .echo, workers: 1, in: .ofThisPackage)
        let socket = bench_connect(server.port, 1, 10_000)
        try #require(socket >= 0)
        let block = (0..<65_537).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
        var all: [UInt8] = []
        for _ in 0..<400 { all += block }
        let sent = all
        Thread.detachNewThread {
            var start = 0
            while start < sent.count {
                let count = sent[start...].withUnsafeBytes {
                    send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return }
                start += count
            }
            shutdown(socket, Int32(SHUT_WR))
        }
        usleep(300_000)
        var received: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while received.count < sent.count {
            let count = recv(socket, &chunk, chunk.count, 0)
            guard count > 0 else { break }
            received += chunk[..<count]
        }
        #expect(received == sent)
        #expect(recv(socket, &chunk, 1, 0) == 0)
        close(socket)
        try server.awaitRest()
        try server.stop()
    }

    @Test func aHerdIsHeld() throws {
        let server = try ServerProcess.start(.floor, .echo, workers: 1, in: .ofThisPackage)
        let herd = try ConnectionHerd(count: 100, port: server.port, service: .echo)
        #expect(server.sockets().caughtUp == 100)
        herd.disperse()
        try server.awaitRest()
        try server.stop()
    }
}
