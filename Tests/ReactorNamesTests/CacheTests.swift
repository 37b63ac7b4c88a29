import ConnectionHandling
import ReactorDNS
import Testing

@testable import ReactorNames

/// The cache on a clock that moves when it is told.
@Suite struct CacheTests {
    private var now = MonotonicTime(nanoseconds: 1)
    private var cache: AnswerCache
    private let question = CacheTests.question("a.test")

    init() { cache = AnswerCache(options: ResolverOptions()) }

    private static func question(_ text: String) -> DNSMessage.Question { .init(name: name(text), type: .a) }

    private func records(_ timeToLive: UInt32, _ others: UInt32...) -> Resolution {
        let records = ([timeToLive] + others).map { ResourceRecord(name: name("a.test"), timeToLive: $0, data: .a(1)) }
        return .records(records, canonicalName: name("a.test"), timeToLive: ([timeToLive] + others).min() ?? 0)
    }

    private mutating func pass(_ seconds: Double) { now = now.advanced(by: .milliseconds(Int(seconds * 1000))) }

    @Test mutating func timesToLiveAreCountedDown() {
        cache.store(records(10, 20), for: question, at: now)
        #expect(cache.find(question, at: now) == records(10, 20))
        pass(3.5)
        #expect(cache.find(.init(name: name("A.TEST"), type: .a), at: now) == .records(
            [7, 17].map { ResourceRecord(name: name("a.test"), timeToLive: $0, data: .a(1)) }, canonicalName: name("a.test"), timeToLive: 6))
        #expect(cache.find(.init(name: name("a.test"), type: .aaaa), at: now) == nil)
        pass(6.499)
        #expect(cache.find(question, at: now) != nil)
        pass(0.001)
        #expect(cache.find(question, at: now) == nil)
    }

    @Test mutating func nothingIsKeptThatMayNotBe() {
        for resolution: Resolution in [
            records(0), .noData(timeToLive: nil), .nameDoesNotExist(timeToLive: nil), .noData(timeToLive: 0), .failure(.serverFailure),
        ] {
            cache.store(resolution, for: question, at: now)
            #expect(cache.find(question, at: now) == nil)
        }
    }

    /// Of what they take decompressed: the same few bytes of a message may be many names.
    @Test func longAnswersAreNotKept() throws {
        let long = try DomainName(labels: [63, 63, 63, 61].map { [UInt8](repeating: 97, count: $0) })
        let mail = ResourceRecord(name: long, timeToLive: 10, data: .mx(preference: 1, exchange: long))
        let question = DNSMessage.Question(name: long, type: .mx)
        func answer(_ count: Int) -> Resolution {
            .records(Array(repeating: mail, count: count), canonicalName: long, timeToLive: 10)
        }
        #expect(answer(2).footprint - answer(1).footprint > 2 * 255)
        #expect(answer(14).footprint > ResolverOptions().maxCachedSize)
        for (past, isKept) in [(1, false), (0, true)] {
            var options = ResolverOptions()
            options.maxCachedSize = answer(5).footprint - past
            var cache = AnswerCache(options: options)
            cache.store(answer(5), for: question, at: now)
            #expect((cache.find(question, at: now) != nil) == isKept)
        }
    }

    @Test(arguments: [Resolution.noData(timeToLive: 5), .nameDoesNotExist(timeToLive: 5)])
    func negativeAnswersAreKept(_ resolution: Resolution) {
        var cache = cache
        cache.store(resolution, for: question, at: now)
        #expect(cache.find(question, at: now.advanced(by: .milliseconds(4_999))) == resolution)
        #expect(cache.find(question, at: now.advanced(by: .seconds(5))) == nil)
    }

    @Test func theLongestAndTheShortest() {
        var options = ResolverOptions()
        options.longestTimeToLive = .seconds(100)
        options.longestNegativeTimeToLive = .seconds(50)
        options.shortestTimeToLive = .seconds(10)
        for (resolution, seconds) in [
            (records(.max), 100), (records(0), 10), (.noData(timeToLive: 1_000), 50), (.nameDoesNotExist(timeToLive: 1), 10),
        ] {
            var cache = AnswerCache(options: options)
            cache.store(resolution, for: question, at: now)
            #expect(cache.find(question, at: now.advanced(by: .milliseconds(seconds * 1_000 - 1))) != nil)
            #expect(cache.find(question, at: now.advanced(by: .seconds(seconds))) == nil)
        }
    }

    @Test mutating func aNewerAnswerTakesTheOldOnesPlace() {
        cache.store(records(10), for: question, at: now)
        pass(5)
        cache.store(.noData(timeToLive: 10), for: question, at: now)
        pass(6)
        #expect(cache.find(question, at: now) == .noData(timeToLive: 10))
        #expect(cache.count == 1)
    }

    @Test func itHasSoManyPlaces() {
        var options = ResolverOptions()
        options.maxCached = 3
        var cache = AnswerCache(options: options)
        let questions = (0..<5).map { Self.question("n\($0).test") }
        for question in questions[..<3] { cache.store(records(100), for: question, at: now) }
        #expect(questions.count { cache.find($0, at: now) != nil } == 3)
        // All were used just now; each is spared once, and the first is the first to go.
        cache.store(records(100), for: questions[3], at: now)
        #expect(questions.map { cache.find($0, at: now) != nil } == [false, true, true, true, false])
        #expect(cache.count == 3)
    }

    @Test func whatWasNotUsedOrHasExpiredMakesRoom() {
        var options = ResolverOptions()
        options.maxCached = 3
        var cache = AnswerCache(options: options)
        let questions = (0..<5).map { Self.question("n\($0).test") }
        cache.store(records(100), for: questions[0], at: now)
        cache.store(records(100), for: questions[1], at: now)
        cache.store(records(1), for: questions[2], at: now)
        _ = cache.find(questions[0], at: now)
        cache.store(records(100), for: questions[3], at: now)
        #expect(questions.map { cache.find($0, at: now) != nil } == [true, false, true, true, false])
        let later = now.advanced(by: .seconds(2))
        cache.store(records(100), for: questions[4], at: later)
        #expect(questions.map { cache.find($0, at: later) != nil } == [true, false, false, true, true])
    }

    @Test func noPlacesKeepNothing() {
        var options = ResolverOptions()
        options.maxCached = 0
        var cache = AnswerCache(options: options)
        cache.store(records(100), for: question, at: now)
        #expect(cache.find(question, at: now) == nil)
    }
}
