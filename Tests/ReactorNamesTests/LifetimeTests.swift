import ConnectionHandling
import Glibc
import Reactor
import ReactorDNS
import ReactorNames
import ReactorTesting
import TestSupport
import Testing

/// Cancelling, closing, joining, and limits.
@Suite(.timeLimit(.minutes(40))) struct LifetimeTests {
    @Test func aCancelledLookupIsNotTold() throws {
        let bench = try Bench { query, _ in .message(query.answered(.a(1))) }
        let resolver = try #require(bench.resolver)
        var told: [String] = []
        // Under way; answered from this machine, yet to be told; under way for another as well.
        resolver.lookUp("a.test", .a) { _ in told.append("a") }.cancel()
        resolver.lookUp("127.0.0.1", .a) { _ in told.append("literal") }.cancel()
        let joined = resolver.lookUp("b.test", .a) { _ in told.append("b1") }
        resolver.lookUp("b.test", .a) { _ in told.append("b2") }
        joined.cancel()
        joined.cancel()
        // Told: cancelling changes nothing.
        var last: Lookup?
        last = resolver.lookUp("c.test", .a) { _ in
            last?.cancel()
            told.append("c")
        }
        bench.run { told.count == 2 }
        #expect(told.sorted() == ["b2", "c"])
        // What was asked for is known now.
        let asked = bench.server.counts.all
        #expect(try bench.data("b.test") == ["192.0.2.1"])
        #expect(bench.server.counts.all == asked)
    }

    @Test func aLookupIsCancelledByAnothersCompletion() throws {
        let bench = try Bench { query, _ in .message(query.answered(.a(1))) }
        var other: Lookup?
        var told: [String] = []
        bench.resolver?.lookUp("a.test", .a) { _ in
            told.append("first")
            other?.cancel()
        }
        other = bench.resolver?.lookUp("a.test", .a) { _ in told.append("second") }
        bench.run { !told.isEmpty }
        bench.loop.after(.milliseconds(20)) { told.append("later") }
        bench.run { told.count > 1 }
        #expect(told == ["first", "later"])
    }

    @Test func aQueryThatNobodyWaitsForIsNotRepeated() throws {
        let bench = try Bench { $0.timeout = .milliseconds(20) } answer: { _, _ in .nothing }
        bench.resolver?.lookUp("a.test", .a) { _ in }.cancel()
        var isLater = false
        bench.loop.after(.milliseconds(100)) { isLater = true }
        bench.run { isLater }
        #expect(bench.server.counts.all <= 1)
    }

    @Test func closingCancelsAll() throws {
        let bench = try Bench { _, _ in .nothing }
        let resolver = try #require(bench.resolver)
        var told = 0
        for index in 0..<10 { resolver.lookUp("n\(index).test", .a) { _ in told += 1 } }
        resolver.lookUp("::1", .aaaa) { _ in told += 1 }
        #expect(descriptorsConnected(to: bench.server.address) == 1)
        resolver.close()
        resolver.close()
        #expect(descriptorsConnected(to: bench.server.address) == 0)
        let error = try bench.error("a.test")
        #expect(error == .system(name: "a.test", type: .a, SystemError("use a resolver that was closed", errno: ECANCELED)))
        #expect(told == 0)
    }

    @Test func aCompletionMayCloseOrDropTheResolver() throws {
        for closes in [true, false] {
            let bench = try Bench { query, _ in .message(query.answered(.a(1))) }
            var told = 0
            for _ in 0..<5 {
                bench.resolver?.lookUp("a.test", .a) { _ in
                    told += 1
                    if closes { bench.resolver?.close() } else { bench.dropResolver() }
                }
            }
            bench.run { told > 0 }
            #expect(told == 1)
            #expect(descriptorsConnected(to: bench.server.address) == 0)
        }
    }

    /// Does something as it goes.
    private final class Parting {
        private let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
        deinit { body() }
    }

    @Test func whatGoesWithACompletionMayCancelIt() throws {
        let bench = try Bench { _, _ in .nothing }
        var lookup: Lookup?
        var parted = 0
        do {
            let parting = Parting {
                lookup?.cancel()
                parted += 1
            }
            lookup = bench.resolver?.lookUp("a.test", .a) { _ in _ = parting }
        }
        #expect(parted == 0)
        lookup?.cancel()
        #expect(parted == 1)
    }

    @Test func whatGoesWithACompletionMayLookUp() throws {
        let bench = try Bench { _, _ in .nothing }
        let resolver = try #require(bench.resolver)
        var results: [Result<Answer, ResolutionError>] = []
        // Under way, and known but yet to be told.
        for text in ["a.test", "::1"] {
            let parting = Parting { resolver.lookUp("b.test", .a) { results.append($0) } }
            resolver.lookUp(text, .aaaa) { _ in _ = parting }
        }
        resolver.close()
        bench.run { results.count == 2 }
        let error = ResolutionError.system(
            name: "b.test", type: .a, SystemError("use a resolver that was closed", errno: ECANCELED))
        #expect(results == [.failure(error), .failure(error)])
    }

    @Test func theLoopMayGoFirst() throws {
        let server = try ThreadedNameServer { _, _ in .nothing }
        var loop: EventLoop? = try EventLoop()
        weak let gone = loop
        var resolver: Resolver?
        if let loop {
            let made = try Resolver(loop: loop, options: .isolated(servers: [server.address]))
            made.lookUp("a.test", .a) { _ in Issue.record("told") }
            // Held by what the loop holds.
            loop.every(.seconds(1)) { made.close() }
            resolver = made
        }
        loop = nil
        #expect(gone == nil)
        resolver?.lookUp("b.test", .a) { _ in Issue.record("told") }.cancel()
        resolver = nil
        #expect(descriptorsConnected(to: server.address) == 0)
    }

    /// What is known waits to be told when the other is asked for.
    @Test func aLookupBesideOneThatIsKnownTimesOut() throws {
        let bench = try Bench {
            $0.timeout = .milliseconds(20)
            $0.tries = 1
        } answer: { _, _ in .nothing }
        var told: [String] = []
        for text in ["127.0.0.1", "a.test"] { bench.resolver?.lookUp(text, .a) { _ in told.append(text) } }
        bench.run { told.count == 2 }
        #expect(told == ["127.0.0.1", "a.test"])
    }

    /// Whatever servers and users do: each look-up is told once, later, unless it was cancelled.
    @Test(arguments: [UInt64](1...10) + [UInt64.random(in: 1_000...UInt64.max)])
    func eachIsToldOnce(_ seed: UInt64) throws {
        let bench = try Bench {
            $0.timeout = .milliseconds(20)
            $0.tries = 2
            $0.deadline = .milliseconds(80)
            $0.maxOutstanding = 5
            $0.maxCached = 3
            $0.searchDomains = ["x.test", "y"]
        } answer: { query, isTCP in
            switch Int.random(in: 0...7) {
            case 0: return .nothing
            case 1: return .hangUp
            case 2: return .message(query.denied(.nameError, negative: 1))
            case 3: return .message(query.denied(.serverFailure))
            case 4: return .bytes([[1, 2, 3]])
            case 5:
                var response = query.answered(.a(1))
                response.isTruncated = !isTCP
                return .message(response)
            default: return .message(query.answered(.a(2), timeToLive: 1))
            }
        }
        var random = SeededGenerator(seed: seed)
        let names = ["127.0.0.1", "localhost", "bad..name", "b.", "c"] + (0..<20).map { "a\($0).test" }
        var open: [Int: Lookup] = [:]
        var (begun, told, cancelled) = (0, Set<Int>(), Set<Int>())
        func lookUpSome() {
            for _ in 0..<Int.random(in: 5...20, using: &random) {
                let (number, text) = (begun, names.randomElement(using: &random) ?? "")
                begun += 1
                var isWithinCall = true
                open[number] = bench.resolver?.lookUp(text, .a) { _ in
                    #expect(!isWithinCall && !cancelled.contains(number) && told.insert(number).inserted)
                    open[number] = nil
                    if begun < 300 { lookUpSome() }
                    if Int.random(in: 0...2, using: &random) == 0, let other = open.keys.min() {
                        cancelled.insert(other)
                        open.removeValue(forKey: other)?.cancel()
                    }
                }
                isWithinCall = false
            }
        }
        lookUpSome()
        bench.run { open.isEmpty }
        #expect(told.count + cancelled.count == begun && told.isDisjoint(with: cancelled))
    }

    @Test func thereMayBeSoManyLookups() throws {
        let bench = try Bench { $0.maxConcurrent = 3 } answer: { query, _ in .message(query.answered(.a(1))) }
        var errors: [ResolutionError?] = []
        let lookups = (0..<4).map { index in
            bench.resolver?.lookUp("n\(index).test", .a) { result in
                if case .failure(let error) = result { errors.append(error) } else { errors.append(nil) }
            }
        }
        bench.run { errors.count == 4 }
        #expect(lookups.count == 4)
        #expect(errors.compactMap { $0 } == [.tooManyLookups(name: "n3.test", type: .a)])
        // Their places are free again, those of cancelled ones too.
        for _ in 0..<10 { bench.resolver?.lookUp("x.test", .a) { _ in }.cancel() }
        #expect(try bench.data("y.test") == ["192.0.2.1"])
    }

    @Test func queriesWaitTheirTurn() throws {
        let bench = try Bench {
            $0.maxOutstanding = 4
            $0.tries = 1
            $0.timeout = .milliseconds(300)
        } answer: { _, _ in .nothing }
        var ended = 0
        for index in 0..<12 { bench.resolver?.lookUp("n\(index).test", .a) { _ in ended += 1 } }
        var most = 0
        let server = bench.server.counts
        bench.loop.after(.milliseconds(50)) { most = server.all }
        bench.run { ended == 12 }
        #expect(most == 4 && server.all == 12)
    }

    @Test func theSameQuestionIsAskedOnce() throws {
        let bench = try Bench { query, _ in .message(query.answered(.a(1))) }
        var told = 0
        for index in 0..<50 { bench.resolver?.lookUp(index % 2 == 0 ? "a.test" : "A.Test.", .a) { _ in told += 1 } }
        bench.run { told == 50 }
        #expect(bench.server.counts.all == 1)
        #expect(bench.resolver?.statistics.joined == 49)
        #expect(try bench.data("a.test") == ["192.0.2.1"])
        #expect(bench.resolver?.statistics.cacheHits == 1)
        #expect(bench.server.counts.all == 1)
    }

    @Test func aThousandAtOnceUseOneSocketAndNoThread() throws {
        var changes: [Int] = []
        // Tests beside this one start and end threads meanwhile: one round in which none did is enough.
        for _ in 0..<10 where changes.last != 0 {
            let server = try ThreadedNameServer { query, _ in .message(query.answered(.a(1))) }
            let loop = try EventLoop()
            defer { loop.close() }
            var options = ResolverOptions.isolated(servers: [server.address])
            options.timeout = .seconds(5)
            let resolver = try Resolver(loop: loop, options: options)
            var (answers, threads) = (0, 0)
            let before = threadCount()
            for index in 0..<1_000 {
                resolver.lookUp("n\(index).test", .a) { result in
                    if case .success = result { answers += 1 }
                    if answers == 500 { threads = threadCount() }
                    if answers == 1_000 { loop.stop() }
                }
            }
            loop.after(.seconds(20)) { loop.stop() }
            #expect(descriptorsConnected(to: server.address) == 1)
            loop.run()
            #expect(answers == 1_000)
            // It was the same socket all the time.
            #expect(server.counts.peers == 1)
            #expect(resolver.statistics.queries == 1_000)
            changes.append(threads - before)
        }
        #expect(changes.last == 0, "\(changes)")
    }

    private func threadCount() -> Int {
        guard let directory = opendir("/proc/self/task") else { return -1 }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return count
    }
}
