import ConnectionHandling
import Foundation
import Reactor
import ReactorDNS
import TestSupport
import Testing

@testable import ReactorNames

/// Look-ups on a loop, against a name server of ours that answers rightly, wrongly, or not at all.
@Suite(.timeLimit(.minutes(40))) struct ResolverTests {
    @Test func anAnswerComesLater() throws {
        let bench = try Bench { query, _ in .message(query.answered(.a(1), .a(2), timeToLive: 77)) }
        let answer = try bench.ask("www.test").get()
        #expect(answer.records.map { "\($0)" } == ["www.test. 77 IN A 192.0.2.1", "www.test. 77 IN A 192.0.2.2"])
        #expect(answer.canonicalName == name("www.test"))
        #expect(answer.timeToLive == 77)
        #expect(answer.records.first?.data.address?.socketAddress(port: 80).description == "192.0.2.1:80")
    }

    @Test func theQueryIsAsItShouldBe() throws {
        let bench = try Bench { query, isTCP in
            let isSound =
                query.recursionDesired && !query.isResponse && query.opcode == 0 && query.payloadSize == 1232 && !isTCP
                && query.questions == [.init(name: name("www.test"), type: .mx)]
            return .message(query.answered(.mx(preference: isSound ? 1 : 2, exchange: name("mx.test"))))
        }
        #expect(try bench.data("www.test", .mx) == ["1 mx.test."])
    }

    @Test(arguments: [(UInt16(0), UInt16(512)), (512, 512), (4_096, 4_096), (.max, 4_096)])
    func thePayloadSizeHasItsBounds(_ given: UInt16, _ sent: UInt16) throws {
        let bench = try Bench { $0.payloadSize = given } answer: { query, _ in
            .message(query.answered(.srv(priority: query.payloadSize ?? 0, weight: 0, port: 0, target: .root), .txt([[]])))
        }
        #expect(try bench.data("a.test", .srv) == ["\(sent) 0 0 ."])
    }

    @Test func anAnswerOfJustThatSizeComesByDatagram() throws {
        // Header 12, question 12, record 12, OPT 11: the text is what is left of 600 and of 601.
        for (length, streams) in [(600, 0), (601, 1)] {
            let bench = try Bench { $0.payloadSize = 600 } answer: { query, _ in
                let rest = length - 12 - 12 - 12 - 11
                var response = query.answered(.txt([255, 255, rest - 513].map { Array(repeating: 65, count: $0) }))
                response.payloadSize = 1_232
                return .message(response)
            }
            #expect(try bench.data("a.test", .txt).count == 1)
            #expect(bench.server.counts.streams == streams)
        }
    }

    @Test func anAliasIsFollowed() throws {
        let bench = try Bench { query, _ in
            var response = query.answered(.cname(name("b.test")), timeToLive: 20)
            response.answers.append(ResourceRecord(name: name("B.test"), timeToLive: 50, data: .cname(name("c.test"))))
            response.answers.append(ResourceRecord(name: name("c.test"), timeToLive: 90, data: .a(9)))
            return .message(response)
        }
        let answer = try bench.ask("a.test").get()
        #expect(answer.canonicalName == name("c.test"))
        #expect(answer.timeToLive == 20)
        #expect(answer.records.map(\.timeToLive) == [90])
        #expect(try bench.data("a.test", .cname) == ["b.test."])
    }

    @Test func failuresAreToldApart() throws {
        let bench = try Bench { query, _ in
            switch query.questions.first?.name.labels.first.map({ String(decoding: $0, as: UTF8.self) }) {
            case "nx": .message(query.denied(.nameError))
            case "nodata": .message(query.denied(.noError))
            case "servfail": .message(query.denied(.serverFailure))
            case "notimp": .message(query.denied(.notImplemented))
            case "refused": .message(query.denied(.refused))
            case "formerr": .message(query.denied(.formatError))
            case "loop": .message(query.answered(.cname(name("loop.test"))))
            default: .nothing
            }
        }
        #expect(try bench.error("nx.test") == .nameDoesNotExist(name: "nx.test", type: .a))
        #expect(try bench.error("nodata.test", .mx) == .noData(name: "nodata.test", type: .mx))
        #expect(try bench.error("servfail.test") == .serverFailure(name: "servfail.test", type: .a))
        #expect(try bench.error("notimp.test") == .serverFailure(name: "notimp.test", type: .a))
        #expect(try bench.error("refused.test") == .refused(name: "refused.test", type: .a))
        #expect(try bench.error("formerr.test") == .serverFailure(name: "formerr.test", type: .a))
        #expect(try bench.error("loop.test") == .malformedAnswer(name: "loop.test", type: .a, .aliasLoop))
        #expect(bench.resolver?.statistics.failures == 7)
        #expect("\(ResolutionError.refused(name: "x.test", type: .mx))" == "cannot look up x.test (MX): the name server refuses to answer")
    }

    @Test func aServerThatNeverAnswersIsAskedThrice() throws {
        let bench = try Bench { $0.timeout = .milliseconds(50) } answer: { _, _ in .nothing }
        #expect(try bench.error("silent.test") == .timedOut(name: "silent.test", type: .a))
        #expect(bench.server.counts.datagrams == 3 && bench.resolver?.statistics.queries == 3)
    }

    @Test func noNameIsInvented() throws {
        let bench = try Bench { query, _ in .message(query.answered(.a(1))) }
        #expect(try bench.error("") == .invalidName(name: "", type: .a, .empty))
        #expect(try bench.error("a..b") == .invalidName(name: "a..b", type: .a, .emptyLabel))
        guard case .invalidName("-ü.test", .a, .notInternational)? = try bench.error("-ü.test") else {
            Issue.record("taken for a name")
            return
        }
        let long = String(repeating: "a", count: 64)
        #expect(try bench.error(long) == .invalidName(name: long, type: .a, .labelTooLong))
        #expect(bench.server.counts.all == 0)
    }

    @Test func aServerThatNobodyRunsIsUnreachable() throws {
        // A port that was free a moment ago.
        let gone = try TestDatagramClient(.loopback(port: 9)).localAddress
        let bench = try Bench { $0.servers = [gone] } answer: { _, _ in .nothing }
        #expect(try bench.error("a.test") == .unreachable(name: "a.test", type: .a))
    }

    @Test func whatFailsAtOnceDoesNotGrowTheStack() throws {
        // Broadcast: the system refuses to connect, and nothing is sent.
        let bench = try Bench {
            $0.servers = [.ipv4(.max, port: 53)]
            $0.maxOutstanding = 1
        } answer: { _, _ in .nothing }
        var errors: [ResolutionError] = []
        for index in 0..<10_000 {
            bench.resolver?.lookUp("n\(index).test", .a) { if case .failure(let error) = $0 { errors.append(error) } }
        }
        bench.run { errors.count == 10_000 }
        #expect(errors.count == 10_000 && errors.last == .unreachable(name: "n9999.test", type: .a))
    }

    @Test(arguments: [DNSMessage.ResponseCode.serverFailure, .refused])
    func aServerIsTakenAtItsWord(_ code: DNSMessage.ResponseCode) throws {
        let bench = try Bench { query, _ in .message(query.denied(code)) }
        #expect(try bench.error("a.test") != nil)
        #expect(bench.server.counts.all == 1)
    }

    @Test func theNextServerIsAskedWhenOneFails() throws {
        let failing = try ThreadedNameServer { query, _ in .message(query.denied(.serverFailure)) }
        let silent = try ThreadedNameServer { _, _ in .nothing }
        let bench = try Bench { query, _ in .message(query.answered(.a(3))) }
        var options = ResolverOptions.isolated(servers: [failing.address, silent.address, bench.server.address])
        options.timeout = .milliseconds(500)
        let resolver = try Resolver(loop: bench.loop, options: options)
        var result: Result<Answer, ResolutionError>?
        resolver.lookUp("a.test", .a) { result = $0 }
        bench.run { result != nil }
        #expect(try result?.get().records.map { "\($0.data)" } == ["192.0.2.3"])
        #expect(failing.counts.all == 1 && silent.counts.all == 1 && bench.server.counts.all == 1)
    }

    @Test func aLostQueryIsSentAgain() throws {
        let asked = NameServerCountdown(2)
        let bench = try Bench { $0.timeout = .milliseconds(300) } answer: { query, _ in asked.isOver() ? .message(query.answered(.a(4))) : .nothing }
        #expect(try bench.data("a.test") == ["192.0.2.4"])
        #expect(bench.server.counts.datagrams == 3)
        #expect(bench.resolver?.statistics.queries == 3)
    }

    @Test func theDeadlineIsForAllTries() throws {
        let bench = try Bench {
            $0.timeout = .milliseconds(100)
            $0.deadline = .milliseconds(150)
            $0.tries = 100
        } answer: { _, _ in .nothing }
        let start = ContinuousClock.now
        #expect(try bench.error("a.test") == .timedOut(name: "a.test", type: .a))
        #expect(ContinuousClock.now - start >= .milliseconds(150))
        #expect(bench.server.counts.datagrams <= 2)
    }

    @Test func whatIsTruncatedComesOverTCP() throws {
        let bench = try Bench { query, isTCP in
            if isTCP { return .message(query.answered(.txt(Array(repeating: Array(repeating: 65, count: 255), count: 20)))) }
            var response = DNSMessage(answering: query)
            response.isTruncated = true
            return .message(response)
        }
        #expect(try bench.ask("a.test", .txt).get().records.first?.data == .txt(Array(repeating: Array(repeating: 65, count: 255), count: 20)))
        #expect(bench.server.counts.datagrams == 1 && bench.server.counts.streams == 1)
    }

    @Test func aStreamThatBreaksOffIsNoAnswer() throws {
        let bench = try Bench { $0.timeout = .milliseconds(300) } answer: { query, isTCP in
            if isTCP { return .hangUp }
            var response = DNSMessage(answering: query)
            response.isTruncated = true
            return .message(response)
        }
        let error = try #require(try bench.error("a.test", .txt))
        #expect(error == .unreachable(name: "a.test", type: .txt) || error == .timedOut(name: "a.test", type: .txt))
    }

    @Test func aStreamThatSaysNothingIsTimedOut() throws {
        let bench = try Bench {
            $0.tries = 1
            $0.timeout = .milliseconds(200)
        } answer: { query, isTCP in
            if isTCP { return .nothing }
            var response = DNSMessage(answering: query)
            response.isTruncated = true
            return .message(response)
        }
        #expect(try bench.error("a.test", .txt) == .timedOut(name: "a.test", type: .txt))
        #expect(bench.server.counts.streams == 1)
    }

    @Test func thousandsOfRecordsAreTaken() throws {
        let bench = try Bench { query, isTCP in
            var response = DNSMessage(answering: query)
            response.isTruncated = !isTCP
            if isTCP, let asked = query.questions.first?.name {
                response.answers = (0..<4_000).map {
                    ResourceRecord(name: asked, timeToLive: 60, data: .address(.v4(0x0A00_0000 + UInt32($0))))
                }
            }
            return .message(response)
        }
        #expect(try bench.ask("many.test").get().records.count == 4_000)
    }

    @Test func aServerWithoutEDNSIsAskedWithoutIt() throws {
        let bench = try Bench { query, _ in
            .message(query.payloadSize == nil ? query.answered(.a(6)) : DNSMessage(answering: query, .formatError))
        }
        for host in ["a.test", "b.test", "c.test"] { #expect(try bench.data(host) == ["192.0.2.6"]) }
        // c-ares asks the first question again, we the second; from then on EDNS is left out.
        #expect(bench.server.counts.datagrams == 5)
    }

    /// A name may come from a peer: an error is one line of a log all the same, and no command to a terminal.
    @Test(arguments: [
        ("a\n[31m\u{1B}c.test", #"a\u{A}[31m\u{1B}c.test"#), ("\u{202E}tset\u{2028}\u{9B}", #"\u{202E}tset\u{2028}\u{9B}"#),
        ("bücher.test", "bücher.test"), (String(repeating: "x", count: 255), String(repeating: "x", count: 255)),
        (String(repeating: "x", count: 256), String(repeating: "x", count: 255) + "…"),
    ])
    func anErrorIsOneLine(_ text: String, _ printed: String) {
        let errors: [any Error] = [
            ResolutionError.nameDoesNotExist(name: text, type: .a), ResolutionError.noData(name: text, type: .a),
            ResolutionError.timedOut(name: text, type: .a), ResolutionError.invalidName(name: text, type: .a, .empty),
            ConnectByNameError(host: text, port: 80), UnknownServiceError(text: text, transport: .tcp),
        ]
        for error in errors { #expect("\(error)".contains(printed) && !"\(error)".contains(printed + "x")) }
    }
}
