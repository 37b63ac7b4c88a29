import ConnectionHandling
import Glibc
import HTTPTestSupport
import ReactorTesting
import Testing

@testable import ReactorSampleSite

/// What a handler does that waits or works.
@Suite struct WorkTests {
    private func threadNanoseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// The same answer as `/plaintext`, by the handler itself or by a pool.
    @Test(arguments: Feeding.allCases, [false, true])
    func theAnswerIsThatOfPlaintext(_ feeding: Feeding, _ offloads: Bool) throws {
        let visitor = try Visitor(offloads: offloads)
        let plain = visitor.ask("GET /plaintext", feeding).text
        for path in ["/block?ms=1", "/burn?ms=1", "/block", "/burn", "/mix"] { #expect(visitor.ask("GET \(path)", feeding).text == plain) }
        #expect(visitor.ask("POST /block", body: "", feeding).code == 405)
    }

    @Test func blockingTakesTimeAndNoCPU() throws {
        let visitor = try Visitor()
        let (began, cpu) = (ContinuousClock.now, threadNanoseconds())
        #expect(visitor.ask("GET /block?ms=200").code == 200)
        #expect(ContinuousClock.now - began >= .milliseconds(200))
        #expect(threadNanoseconds() - cpu < 100_000_000)
    }

    @Test func burningTakesCPU() throws {
        let visitor = try Visitor()
        let cpu = threadNanoseconds()
        #expect(visitor.ask("GET /burn?ms=50").code == 200)
        #expect(threadNanoseconds() - cpu >= 50_000_000)
    }

    /// From wherever a connection begins, one of ten blocks and one burns.
    @Test(arguments: 0..<10 as Range<UInt16>)
    func ofTenMixedRequestsOneBlocksAndOneBurns(_ port: UInt16) {
        var turn = MixTurn(port: 40_000 + port)
        var kinds: [Work.Kind?] = []
        for _ in 0..<20 {
            kinds.append(turn.kind)
            turn.advance()
        }
        for ten in [kinds.prefix(10), kinds.suffix(10)] {
            #expect(ten.count { $0 == .block } == 1 && ten.count { $0 == .burn } == 1 && ten.count { $0 == nil } == 8)
        }
        // Each port begins elsewhere.
        #expect(kinds.firstIndex { $0 == .block } == (13 - Int(port)) % 10)
    }

    /// Other requests between them do not count.
    @Test func aConnectionGoesThroughTheMix() throws {
        let visitor = try Visitor()
        func seconds(_ count: Int) -> Duration {
            let began = ContinuousClock.now
            for _ in 0..<count {
                #expect(visitor.ask("GET /mix").body == "Hello, World!")
                #expect(visitor.ask("GET /plaintext").body == "Hello, World!")
            }
            return ContinuousClock.now - began
        }
        #expect(seconds(50) >= .milliseconds(10))
    }

    @Test(arguments: Feeding.allCases)
    func bytesAreNumberedLines(_ feeding: Feeding) throws {
        let visitor = try Visitor()
        let whole = visitor.ask("GET /bytes", feeding)
        #expect(whole.field("Content-Length") == "65536" && whole.field("Content-Type") == "text/plain")
        let lines = whole.body.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 1_025 && Set(lines).count == 1_025 && lines.last == "")
        #expect(lines[0] == "1000000000000000" + String(repeating: ".", count: 47))
        #expect(lines[1_023].hasPrefix("10000000000003ff."))
        #expect(visitor.ask("GET /bytes?n=100", feeding).body == whole.body.prefix(100))
        #expect(visitor.ask("GET /bytes?n=1048576", feeding).body.utf8.count == 1_048_576)
    }
}
