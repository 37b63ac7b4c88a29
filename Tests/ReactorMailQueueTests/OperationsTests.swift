import Foundation
@testable import ReactorMailQueue
import ReactorSMTP
import TestSupport
import Testing

/// What operators see and do.
@Suite(.timeLimit(.minutes(40))) struct OperationsTests {
    private let directory: TemporaryDirectory
    private let spool: Spool
    private let lease: SpoolLease

    init() throws {
        directory = try TemporaryDirectory()
        spool = try Spool(directory: directory.spool)
        lease = try spool.acquireLease()
        func store(_ id: String, from sender: String, to recipients: String..., received: Int64) throws {
            try spool.store(envelope(recipients, id: QueueID(text: id), sender: sender, received: received))
        }
        try store("ONE", from: "Anna@a.test", to: "b@b.test", received: 1_000)
        try store("TWO", from: "", to: "c@C.test", "b@b.test", received: 2_000)
        try store("THREE", from: "a[1]?*@a.test", to: "d@[192.0.2.1]", received: 3_000)
        try store("FOUR", from: "bert@a.test", to: "b@b.test", received: 4_000)
        let one = try #require(try spool.due().first)
        try spool.note(one.attempt(.deferred(DeliveryReport(status: EnhancedStatusCode(4, 2, 2), text: "452 Mailbox FULL"))), under: lease)
        #expect(try spool.apply(.hold, to: ["FOUR"]).missing == [])
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var filter = QueueFilter()
        let expected: [String]
        init(_ expected: String..., set: (inout QueueFilter) -> Void) {
            self.expected = expected
            set(&filter)
        }
        var testDescription: String { "\(filter)" }
    }

    @Test("filters", arguments: [
        Case("ONE", "TWO", "THREE", "FOUR") { _ in },
        Case("ONE") { $0.sender = "anna@A.TEST" }, Case("TWO") { $0.sender = "" },
        Case("ONE", "THREE", "FOUR") { $0.sender = "*@a.test" }, Case("THREE") { $0.sender = "a[1]?*" },
        Case { $0.sender = "ann?@a.test" }, Case { $0.sender = "[a]nna@a.test" }, Case { $0.sender = "nna@a.test" },
        Case("TWO") { $0.recipient = "C@c.test" }, Case("ONE", "TWO", "FOUR") { $0.recipient = "B@*" },
        Case("TWO") { $0.domain = "c.TEST" }, Case("THREE") { $0.domain = "[192.0.2.1]" }, Case { $0.domain = "test" },
        Case("ONE", "TWO") { $0.receivedBefore = 2_000 }, Case("ONE") { $0.receivedBefore = 1_999 },
        Case("ONE") { $0.reason = "mailbox full" }, Case { $0.reason = "mailbox%" },
        Case("ONE", "TWO", "THREE") { $0.states = [.waiting] }, Case("FOUR") { $0.states = [.held] },
        Case { $0.states = [.failed] }, Case("FOUR") { $0.states = [.held, .quarantined] },
        Case("FOUR") { ($0.sender, $0.domain, $0.states) = ("*@a.test", "b.test", [.held]) },
        Case { $0.sender = "' OR 1 = 1 --" },
    ])
    func filters(_ one: Case) throws {
        #expect(try spool.list(one.filter).map(\.id) == one.expected)
        #expect(try spool.numbers(one.filter, after: 0, limit: 10).count == one.expected.count)
    }

    @Test func theEndsOfAQueue() throws {
        #expect(try spool.list(newest: false, limit: 2).map(\.id) == ["ONE", "TWO"])
        #expect(try spool.list(newest: true, limit: 3).map(\.id) == ["FOUR", "THREE", "TWO"])
        #expect(try spool.list(newest: true, limit: 9).map(\.id) == ["FOUR", "THREE", "TWO", "ONE"])
        #expect(try spool.list(newest: true, limit: 3)[2].recipients.map(\.address) == ["c@C.test", "b@b.test"])
        #expect(try spool.list(newest: false, limit: 0).isEmpty)
    }

    @Test func holdAndRelease() throws {
        #expect(try spool.list()[3].nextAttempt == nil)
        #expect(try spool.due(at: .max).map(\.id.text) == ["TWO", "ONE"])
        #expect(try spool.apply(.release, to: ["FOUR", "NONE"]).missing == ["NONE"])
        #expect(try spool.due(at: .max).map(\.id.text) == ["TWO", "ONE", "FOUR"])
        #expect(try spool.list()[3].state == .waiting)
        #expect(try spool.apply(.release, matching: QueueFilter()) == 0)
    }

    /// What is held while it is being delivered stays held when it is deferred.
    @Test func heldWhileItIsDelivered() throws {
        let two = try #require(try spool.due().first)
        #expect(try spool.apply(.hold, to: ["TWO"]).missing == [])
        try spool.note(two.attempt(.deferred(later)), under: lease)
        #expect(try spool.message("TWO")?.state == .held)
        #expect(try spool.due(at: .max).map(\.id.text) == ["ONE"] && spool.due("c.test", at: .max).isEmpty)
        #expect(try spool.apply(.retry, to: ["TWO"]).missing == [])
        #expect(try spool.due(at: .max).map(\.id.text) == ["ONE"])
    }

    @Test func retry() throws {
        #expect(try spool.due(at: 5_000).map(\.id.text) == ["TWO"])
        var filter = QueueFilter()
        filter.domain = "b.test"
        #expect(try spool.apply(.retry, matching: filter) == 2)
        let now = Int64(Date.now.timeIntervalSince1970) + 5
        #expect(Set(try spool.due(at: now).map(\.id.text)) == ["ONE", "TWO"])
    }

    @Test func delete() throws {
        var filter = QueueFilter()
        filter.states = [.waiting]
        #expect(try spool.apply(.delete, matching: filter) == 3)
        #expect(try spool.list().map(\.id) == ["FOUR"])
        #expect(try spool.apply(.delete, to: ["FOUR", "FOUR"]).missing == [])
        #expect(try spool.count("recipient") == 0 && spool.count("content") == 0)
    }

    /// More than one slice, while new mail comes.
    @Test func largeChanges() throws {
        for _ in 0..<1_500 { spool.commit(envelope(["x@x.test"]), .bytes(sample)) { _ in } }
        try spool.settle()
        let operators = try Spool(existing: directory.spool)
        let before = operators.counters.batches
        var filter = QueueFilter()
        filter.domain = "x.test"
        #expect(try operators.apply(.hold, matching: filter) == 1_500)
        #expect(operators.counters.batches - before >= 7)
        #expect(try spool.due("x.test", at: .max).isEmpty && spool.list(filter).count == 1_500)
        var seen = 0
        try spool.list(filter) { _ in
            seen += 1
            return seen < 600
        }
        #expect(seen == 600)
        #expect(try operators.apply(.delete, matching: filter) == 1_500)
        #expect(try spool.list().count == 4)
    }

    @Test func contents() throws {
        guard case .bytes(let bytes)? = try spool.content(of: "ONE") else { return #expect(Bool(false), "small contents are bytes") }
        #expect(bytes == sample)
        #expect(try spool.content(of: "NONE") == nil && spool.message("NONE") == nil)
    }

    @Test func statistics() throws {
        let statistics = try spool.statistics(now: 1_000 + 6 * 60)
        #expect(statistics.total == 4 && statistics.messages == [.waiting: 3, .held: 1] && statistics.oldest == 1_000)
        #expect(statistics.bytes == 4 * sample.count && statistics.recipients == 5 && statistics.destinationCount == 3)
        #expect(statistics.destinations.map(\.name) == ["b.test", "[192.0.2.1]", "c.test"])
        #expect(statistics.destinations[0].recipients == 3 && statistics.destinations[0].byAge == [2, 1] + Array(repeating: 0, count: 8))
        #expect(try spool.statistics(now: 0, destinations: 1).destinations.count == 1)
        #expect(try JSONSerialization.jsonObject(with: Data(statistics.json().utf8)) is NSDictionary)
    }

    @Test func json() throws {
        for message in try spool.list() {
            #expect(try JSONDecoder().decode(QueuedMessage.self, from: Data(message.json().utf8)) == message)
        }
        let one = try #require(try spool.message("ONE"))
        #expect(
            one.json() == """
                {"id":"ONE","state":"waiting","sender":"Anna@a.test","recipients":[{"address":"b@b.test","destination":"b.test",\
                "state":"waiting","attempts":1,"next_attempt":"1970-01-01T02:30:00Z","status":"4.2.2",\
                "last_reply":"452 Mailbox FULL","remote":null}],"size":\(sample.count),"received":"1970-01-01T00:16:40Z",\
                "attempts":1,"next_attempt":"1970-01-01T02:30:00Z","last_error":"452 Mailbox FULL","body":"8BITMIME",\
                "smtputf8":false,"ret":null,"envid":null}
                """)
    }

    @Test("text from peers is harmless", arguments: [
        "plain", "quote\" back\\slash", "\u{1B}[2J", "line\r\nfeed", "\u{9B}31m", "\u{202E}drawkcab", "\u{7F}", "é日本", "\u{10FFFF}", "\u{2028}",
    ])
    func harmless(_ text: String) throws {
        var object = JSONObject()
        object.add("x", text)
        for shown in [object.text, text.printable()] {
            #expect(shown.unicodeScalars.allSatisfy { $0.isPlain }, "\(shown.debugDescription)")
        }
        #expect(try JSONDecoder().decode([String: String].self, from: Data(object.text.utf8)) == ["x": text])
        #expect("a\tb\r\n\u{1B}".printable(lines: true) == "a\tb\n\\u{1b}")
    }
}
