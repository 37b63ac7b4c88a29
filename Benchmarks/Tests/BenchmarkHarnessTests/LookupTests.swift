import CBenchSystem
import Glibc
import Testing

@testable import BenchmarkHarness

@Suite struct DNSFloorTests {
    /// `lookup.example`, A, IN; with the id 0x1234 and recursion desired.
    private static let query: [UInt8] =
        [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 6] + Array("lookup".utf8) + [7] + Array("example".utf8)
        + [0, 0, 1, 0, 1]

    private static let answer: [UInt8] =
        [0x12, 0x34, 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0] + query[12...]
        + [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]

    private static func query(_ changes: [Int: UInt8], and more: [UInt8] = []) -> [UInt8] {
        var bytes = query
        for (offset, byte) in changes { bytes[offset] = byte }
        return bytes + more
    }

    /// Sends the messages, one after the other, and returns the first response.
    private func response(to messages: [[UInt8]]) throws -> [UInt8] {
        let server = try ServerProcess.start(.floor, .names, workers: 1, in: .ofThisPackage)
        let socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        try #require(socket >= 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = server.port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(connected == 0)
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        for message in messages { try #require(send(socket, message, message.count, 0) == message.count) }
        var chunk = [UInt8](repeating: 0, count: 1024)
        let count = recv(socket, &chunk, chunk.count, 0)
        try server.stop()
        return Array(chunk[..<max(count, 0)])
    }

    @Test func aQuestionForAnAddressIsAnswered() throws {
        #expect(try response(to: [Self.query]) == Self.answer)
    }

    /// AAAA, and A of another class.
    @Test(arguments: [[29: 28 as UInt8], [31: 3]])
    func otherQuestionsHaveNoAnswer(changes: [Int: UInt8]) throws {
        let query = Self.query(changes)
        let expected = [0x12, 0x34, 0x85, 0x80, 0, 1, 0, 0, 0, 0, 0, 0] + query[12...]
        #expect(try response(to: [query]) == expected)
    }

    /// EDNS(0), RFC 6891: an OPT record behind the question.
    @Test func whatIsAddedIsIgnored() throws {
        let query = Self.query([11: 1], and: [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0])
        #expect(try response(to: [query]) == Self.answer)
    }

    /// Nothing of it is answered: the first response is to the sound query behind it.
    @Test func whatIsNoQueryIsDropped() throws {
        var unsound = Self.query.indices.map { Array(Self.query[..<$0]) }
        unsound.append(Self.query([2: 0x81]))    // a response
        unsound.append(Self.query([2: 0x28]))    // an update
        unsound.append(Self.query([5: 2]))       // two questions
        unsound.append(Self.query([7: 1]))       // an answer
        unsound.append(Self.query([19: 63]))     // a label that goes on behind the message
        unsound.append([UInt8](repeating: 255, count: 600))
        let (header, end) = (Self.query[..<12], Self.query.suffix(5))
        unsound.append(header + [64] + [UInt8](repeating: 97, count: 64) + end)    // a label that is too long
        unsound.append(header + [UInt8](repeating: 1, count: 256) + end)    // a name of 257 bytes
        for index in unsound.indices where unsound[index].count > 1 { unsound[index][1] = 0 }
        #expect(try response(to: unsound + [Self.query]) == Self.answer)
    }
}

@Suite(.timeLimit(.minutes(40))) struct LookupTests {
    /// More at once than there are places, and ids that come again.
    @Test(arguments: [[1, 1], [99, 3], [1000, 70]])
    func everyNameIsLookedUp(numbers: [Int]) throws {
        let server = try ServerProcess.start(.floor, .names, workers: 1, in: .ofThisPackage)
        let report = try Load("lookups", port: server.port, numbers, in: .ofThisPackage).run(within: 20)
        #expect(report.count == Double(numbers[0] * numbers[1]))
        try server.stop()
    }

    /// An echo of the question, and nobody.
    @Test func aWrongAnswerIsSeen() throws {
        let server = try ServerProcess.start(.floor, .datagramEcho, workers: 1, in: .ofThisPackage)
        #expect {
            try Load("lookups", port: server.port, [10, 1], in: .ofThisPackage).run(within: 20)
        } throws: { "\($0)".contains("not the answer") }
        try server.stop()
        let port = UInt16(bench_free_port())
        #expect(throws: Failure.self) { try Load("lookups", port: port, [10, 1], in: .ofThisPackage).run(within: 20) }
    }

    @Test func aRunCountsSystemCalls() throws {
        let sample = try LookupRun(lookups: 100, in: .ofThisPackage).run(.floor).sample
        #expect(sample[.sockets] == 1)
        #expect(sample[.threads] == 0)
        // One to send, one to receive, and some to wait; those of a run without look-ups, which are taken off, vary by a few.
        let calls = try #require(sample[.systemCallsPerLookup])
        #expect(calls > 1.5 && calls < 5)
        #expect(try #require(sample[.cpuPerLookup]) > 0)
    }

    @Test func theTableOfSystemCalls() throws {
        let calls = try SystemCalls(
            """
            count=5 seconds=1
            mentions 7
            syscall              calls
            ---------------- ---------
            sendto                  10
            clone3                   2
            ---------------- ---------
            total                   12
            """)
        #expect(calls.counts == ["sendto": 10, "clone3": 2])
        #expect(calls.total == 12)
        #expect(calls["clone", "clone3"] == 2)
        #expect(throws: Failure.self) { try SystemCalls("sendto 10\ntotal 10") }
    }
}
