import ConnectionHandling
import ReactorDNS
import Testing

/// What a response says: aliases, negative answers, and answers to something else.
@Suite struct ResolutionTests {
    private let question = DNSMessage.Question(name: name("a.test"), type: .a)

    private func response(
        _ code: DNSMessage.ResponseCode = .noError, _ answers: [ResourceRecord] = [], _ authorities: [ResourceRecord] = []
    ) -> DNSMessage {
        var message = DNSMessage(answering: DNSMessage(id: 1, asking: question), code)
        message.answers = answers
        message.authorities = authorities
        return message
    }

    private func alias(_ from: String, _ to: String, _ seconds: UInt32 = 100) -> ResourceRecord {
        ResourceRecord(name: name(from), timeToLive: seconds, data: .cname(name(to)))
    }

    private func address(_ owner: String, _ seconds: UInt32 = 100) -> ResourceRecord {
        ResourceRecord(name: name(owner), timeToLive: seconds, data: .address(.v4(1)))
    }

    private func soa(_ zone: String, _ seconds: UInt32, minimum: UInt32) -> ResourceRecord {
        let soa = StartOfAuthority(
            primary: .root, mailbox: .root, serial: 0, refresh: 0, retry: 0, expire: 0, minimum: minimum)
        return ResourceRecord(name: name(zone), timeToLive: seconds, data: .soa(soa))
    }

    @Test func theRecordsOfTheNameAlone() throws {
        let found = try response(.noError, [address("b.test", 1), address("A.test", 50), address("a.test", 40)]).resolution(of: question)
        #expect(found == .records([address("A.test", 50), address("a.test", 40)], canonicalName: question.name, timeToLive: 40))
    }

    @Test func aliasesInAnyOrder() throws {
        let found = try response(.noError, [address("c.test", 70), alias("b.test", "c.test", 30), alias("a.test", "b.test", 60)])
            .resolution(of: question)
        #expect(found == .records([address("c.test", 70)], canonicalName: name("c.test"), timeToLive: 30))
    }

    @Test func anAliasThatWasAskedForIsTheAnswer() throws {
        let asked = DNSMessage.Question(name: name("a.test"), type: .cname)
        var message = response(.noError, [alias("a.test", "b.test")])
        message.questions = [asked]
        #expect(try message.resolution(of: asked) == .records([alias("a.test", "b.test")], canonicalName: name("a.test"), timeToLive: 100))
    }

    @Test func aChainHasAnEnd() throws {
        func chain(_ count: Int) -> [ResourceRecord] {
            (0..<count).map { alias($0 == 0 ? "a.test" : "n\($0).test", "n\($0 + 1).test") } + [address("n\(count).test")]
        }
        let longest = DNSMessage.mostAliases
        guard case .records(_, let canonical, _) = try response(.noError, chain(longest)).resolution(of: question) else {
            Issue.record("no records")
            return
        }
        #expect(canonical == name("n\(longest).test"))
        #expect(throws: DNSViolation.aliasLoop) { try response(.noError, chain(longest + 1)).resolution(of: question) }
    }

    @Test(arguments: [["a.test"], ["b.test", "a.test"], ["b.test", "c.test", "b.test"]])
    func aCircleIsNoAnswer(_ targets: [String]) {
        var owner = "a.test"
        let records = targets.map { target in
            defer { owner = target }
            return alias(owner, target)
        }
        #expect(throws: DNSViolation.aliasLoop) { try response(.noError, records).resolution(of: question) }
    }

    /// RFC 2308 section 5
    @Test(arguments: [(UInt32(300), UInt32(60), UInt32(60)), (60, 300, 60), (60, 0x8000_0001, 0)])
    func negativeAnswersHoldAsLongAsTheirZoneSays(_ seconds: UInt32, _ minimum: UInt32, _ expected: UInt32) throws {
        let authorities = [soa("test", seconds, minimum: minimum)]
        #expect(try response(.nameError, [], authorities).resolution(of: question) == .nameDoesNotExist(timeToLive: expected))
        #expect(try response(.noError, [], authorities).resolution(of: question) == .noData(timeToLive: expected))
    }

    @Test func withoutTheirZoneTheyAreNotKept() throws {
        #expect(try response(.nameError).resolution(of: question) == .nameDoesNotExist(timeToLive: nil))
        // Another zone has no say.
        let foreign = [soa("example", 5, minimum: 5)]
        #expect(try response(.noError, [], foreign).resolution(of: question) == .noData(timeToLive: nil))
    }

    @Test func aChainThatEndsInNothing() throws {
        let records = [alias("a.test", "b.example", 20)]
        let authorities = [soa("example", 90, minimum: 80)]
        #expect(try response(.nameError, records, authorities).resolution(of: question) == .nameDoesNotExist(timeToLive: 20))
        #expect(try response(.noError, records, authorities).resolution(of: question) == .noData(timeToLive: 20))
    }

    @Test func failuresAreSaid() throws {
        for code: DNSMessage.ResponseCode in [.serverFailure, .refused, .notImplemented, .formatError, .init(rawValue: 23)] {
            #expect(try response(code).resolution(of: question) == .failure(code))
            var bare = response(code)
            bare.questions = []
            #expect(try bare.resolution(of: question) == .failure(code))
        }
    }

    @Test func answersToOtherQuestionsAreNone() {
        let changes: [(inout DNSMessage) -> Void] = [
            { $0.isResponse = false }, { $0.opcode = 4 }, { $0.questions = [] }, { $0.questions += $0.questions },
            { $0.questions[0].name = name("b.test") }, { $0.questions[0].type = .mx },
        ]
        for change in changes {
            var message = response(.noError, [address("a.test")])
            change(&message)
            #expect(throws: DNSViolation.otherQuestion) { try message.resolution(of: question) }
        }
    }
}
