import ConnectionHandling
import Reactor
import ReactorDNS
import ReactorNames
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(40))) struct BlockingTests {
    private func resolver(_ server: ThreadedNameServer) throws -> BlockingResolver {
        var options = ResolverOptions.isolated(servers: [server.address])
        options.timeout = .milliseconds(300)
        return try BlockingResolver(options: options)
    }

    @Test func anAnswerIsWaitedFor() throws {
        let server = try ThreadedNameServer { query, _ in .message(query.answered(.a(1))) }
        let resolver = try resolver(server)
        #expect(try resolver.lookUp("a.test", .a).records.map { "\($0.data)" } == ["192.0.2.1"])
        #expect(try resolver.lookUp("a.test", .a).records.count == 1)
        #expect(server.counts.all == 1 && resolver.statistics.cacheHits == 1)
        #expect(try resolver.lookUp("localhost", .aaaa).records.map { "\($0.data)" } == ["::1"])
    }

    @Test func failuresAreThrown() throws {
        let server = try ThreadedNameServer { query, _ in
            query.questions.first?.name == name("nx.test") ? .message(query.denied(.nameError)) : .nothing
        }
        let resolver = try resolver(server)
        #expect(throws: ResolutionError.nameDoesNotExist(name: "nx.test", type: .mx)) { try resolver.lookUp("nx.test", .mx) }
        #expect(throws: ResolutionError.timedOut(name: "silent.test", type: .a)) { try resolver.lookUp("silent.test", .a) }
        #expect(server.counts.all == 4)
        #expect(throws: ResolutionError.invalidName(name: "..", type: .a, .emptyLabel)) { try resolver.lookUp("..", .a) }
    }

    @Test func truncatedAnswersComeOverTCP() throws {
        let server = try ThreadedNameServer { query, isTCP in
            var response = isTCP ? query.answered(.a(5)) : DNSMessage(answering: query)
            response.isTruncated = !isTCP
            return .message(response)
        }
        #expect(try resolver(server).lookUp("a.test", .a).records.count == 1)
        #expect(server.counts.streams == 1)
    }

    @Test func theDeadlineHolds() throws {
        let server = try ThreadedNameServer { _, _ in .nothing }
        var options = ResolverOptions.isolated(servers: [server.address])
        options.deadline = .milliseconds(120)
        options.timeout = .seconds(10)
        let resolver = try BlockingResolver(options: options)
        let start = ContinuousClock.now
        #expect(throws: ResolutionError.timedOut(name: "a.test", type: .a)) { try resolver.lookUp("a.test", .a) }
        #expect((.milliseconds(120)...(.seconds(5))).contains(ContinuousClock.now - start))
    }
}
