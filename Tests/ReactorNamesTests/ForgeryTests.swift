import ConnectionHandling
import Reactor
import ReactorDNS
import ReactorNames
import ReactorTesting
import TestSupport
import Testing

/// Answers that are not the server's, or make no sense.
@Suite(.timeLimit(.minutes(40))) struct ForgeryTests {
    /// What a forger could send in front of the right answer.
    enum Forgery: CaseIterable, Sendable {
        case otherID, otherName, otherType, tooShort, empty

        func bytes(_ query: DNSMessage) -> [UInt8] {
            var response = query.answered(.a(66))
            switch self {
            case .otherID: response.id ^= 1
            case .otherName: response.questions[0].name = name("other.test")
            case .otherType: response.questions[0].type = .txt
            case .tooShort: return Array(response.bytes.prefix(11))
            case .empty: return []
            }
            return response.bytes
        }
    }

    @Test(arguments: Forgery.allCases)
    func whatDoesNotMatchIsPassedOver(_ forgery: Forgery) throws {
        let bench = try Bench { query, _ in .bytes([forgery.bytes(query), query.answered(.a(1)).bytes]) }
        #expect(try bench.data("a.test") == ["192.0.2.1"])
    }

    @Test(arguments: Forgery.allCases)
    func forgeriesAloneAreNoAnswer(_ forgery: Forgery) throws {
        let bench = try Bench {
            $0.tries = 1
            $0.timeout = .milliseconds(100)
        } answer: { query, _ in .bytes([forgery.bytes(query)]) }
        #expect(try bench.error("a.test") == .timedOut(name: "a.test", type: .a))
    }

    @Test func whatComesFromAnotherPortIsPassedOver() throws {
        let bench = try Bench { query, _ in .forged(query.answered(.a(66)), behind: query.answered(.a(1))) }
        for host in ["a.test", "b.test", "c.test"] { #expect(try bench.data(host) == ["192.0.2.1"]) }
    }

    @Test func idsAreNotInOrder() throws {
        let seen = Seen()
        let bench = try Bench { query, _ in
            seen.add(query.id)
            return .message(query.answered(.a(1)))
        }
        for index in 0..<20 { _ = try bench.ask("n\(index).test") }
        let steps = zip(seen.ids, seen.ids.dropFirst()).map { $1 &- $0 }
        #expect(steps.count == 19 && Set(steps).count > 10)
    }

    @Test func aQueryComesBackAsNoAnswer() throws {
        let bench = try Bench { query, _ in .message(query) }
        #expect(try bench.error("a.test") == .malformedAnswer(name: "a.test", type: .a, .otherQuestion))
    }

    @Test func anUnsoundAnswerIsSaidToBe() throws {
        let bench = try Bench { query, _ in .bytes([query.answered(.a(1)).bytes.dropLast()]) }
        guard case .malformedAnswer("a.test", .a, .truncated) = try bench.error("a.test") else {
            Issue.record("another error")
            return
        }
    }

    /// Whatever a server does to its answers, each look-up ends, once, and nothing traps.
    @Test(arguments: [UInt64](1...5) + [UInt64.random(in: 1_000...UInt64.max)])
    func damagedAnswersEndLookups(_ seed: UInt64) throws {
        let bench = try Bench {
            $0.timeout = .milliseconds(20)
            $0.tries = 1
        } answer: { query, _ in
            var random = SeededGenerator(seed: seed &+ UInt64(query.questions.first?.name.hashSeed ?? 0))
            var bytes = query.answered(.cname(name("b.test")), .a(1), .txt([[1, 2, 3]])).bytes
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                bytes[Int.random(in: 2..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            return .bytes([Array(bytes.prefix(Int.random(in: 12...bytes.count, using: &random)))])
        }
        var ended = 0
        for index in 0..<200 { bench.resolver?.lookUp("n\(index).test", .a) { _ in ended += 1 } }
        bench.run { ended == 200 }
        #expect(ended == 200)
    }
}

extension DomainName {
    /// The same in each run.
    fileprivate var hashSeed: Int { labels.joined().reduce(0) { $0 &* 31 &+ Int($1) } }
}
