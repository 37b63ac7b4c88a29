import Foundation
@testable import ReactorMailRelay
import ReactorSMTP
import Testing

@Suite struct MailboxesTests {
    private let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "mailboxes-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    private func cleanUp() { try? FileManager.default.removeItem(at: directory) }
    private func files(_ path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory.appending(path: path).path)) ?? []).sorted()
    }
    private func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: directory.appending(path: path)), as: UTF8.self)
    }
    private func mailboxes(_ template: String) -> Mailboxes { Mailboxes(directory.path + template, hostname: "relay:te/st") }

    @Test func aFileForEachRecipient() throws {
        defer { cleanUp() }
        let message = message([Envelope.Recipient("x@b.test"), Envelope.Recipient("y@b.test")], content: "Subject: x\r\n\r\na\rb\r\n\r\r\nend\r")
        #expect(mailboxes("/all").deliver(message).allSatisfy { $0.isDelivered })
        #expect(files("all") == ["cur", "new", "tmp"] && files("all/tmp") == [] && files("all/cur") == [])
        let names = files("all/new")
        #expect(names == ["1700000000.ID_0.relay\\072te\\057st", "1700000000.ID_1.relay\\072te\\057st"])
        #expect(try text("all/new/\(names[1])") == "Return-Path: <a@a.test>\nDelivered-To: y@b.test\nSubject: x\n\na\rb\n\r\nend\r")
        #expect(mailboxes("/all").deliver(message).allSatisfy { $0.isDelivered })
        #expect(files("all/new") == names, "not twice, should the first time not have been written down")
    }

    @Test func recipientsHaveDirectoriesOfTheirOwn() throws {
        defer { cleanUp() }
        let boxes = mailboxes("/%d/%u/Mail")
        try FileManager.default.createDirectory(at: directory.appending(path: "b.test/bob/Mail"), withIntermediateDirectories: true)
        #expect(boxes.has("BOB@b.test") && !boxes.has("eve@b.test") && mailboxes("/all").has("anybody"))
        let outcomes = boxes.deliver(message([Envelope.Recipient("eve@b.test"), Envelope.Recipient("Bob@B.test")]))
        #expect(outcomes[0].report.status == EnhancedStatusCode(5, 1, 1) && outcomes[1].isDelivered)
        #expect(files("b.test/bob/Mail/new").count == 1 && files("b.test") == ["bob"])
    }

    @Test("addresses that are no part of a path", arguments: [
        "../bob@b.test", ".bob@b.test", "a/b@b.test", "a\u{0}b@b.test", "@b.test", "bob@..", "bob@", "%d@b.test", "postmaster",
    ])
    func wayOut(_ address: String) throws {
        defer { cleanUp() }
        let boxes = mailboxes("/%d/%u")
        #expect(boxes.path(for: address) == nil && !boxes.has(address))
        #expect(boxes.deliver(message([Envelope.Recipient(address)]))[0].report.status == EnhancedStatusCode(5, 1, 1))
    }

    @Test func aMessageThatWasHereBeforeIsInALoop() throws {
        defer { cleanUp() }
        let looping = message(
            [Envelope.Recipient("x@b.test"), Envelope.Recipient("y@b.test")],
            content: "delivered-TO:  X@b.test\r\nSubject: x\r\n\r\nDelivered-To: y@b.test\r\n")
        let outcomes = mailboxes("/all").deliver(looping)
        #expect(outcomes[0].report.status == EnhancedStatusCode(5, 4, 6) && outcomes[1].isDelivered, "the body says nothing")
    }

    @Test func largeContentsAreCopiedInPieces() throws {
        defer { cleanUp() }
        let file = try ContentFile(creating: directory.appending(path: "content").path)
        var expected = ""
        for number in 0..<20_000 {
            try file.append(Array("line \(number)\r\n".utf8).span.bytes)
            expected += "line \(number)\n"
        }
        var large = message()
        large.content = .file(file)
        #expect(mailboxes("/all").deliver(large)[0].isDelivered)
        #expect(try text("all/new/\(files("all/new")[0])").hasSuffix("Delivered-To: b@b.test\n" + expected))
        large.envelope.body = .binaryMIME
        large.recipients[0].position = 7
        #expect(mailboxes("/all").deliver(large)[0].isDelivered)
        #expect(try text("all/new/\(files("all/new")[1])").hasSuffix("line 19999\r\n"), "bytes are left as they are")
    }

    @Test("who is refused in the session", arguments: [
        ("bob@b.test", nil), ("eve@b.test", "550 5.1.1"), ("../bob@b.test", "550 5.1.1"), ("x@gone.test", "550 5.1.6"),
        ("x@odd.test", "550 5.0.0"), ("x@elsewhere.test", nil), ("x@nowhere.test", nil), ("\(String(repeating: "x", count: 300))@b.test", "550 5.1.1"),
    ] as [(String, String?)])
    func refused(_ address: String, _ expected: String?) throws {
        defer { cleanUp() }
        try FileManager.default.createDirectory(at: directory.appending(path: "bob"), withIntermediateDirectories: true)
        var routes = Routes(.mx, localDomain: "b.test")
        routes.add("b.test", .maildir(directory.path + "/%u"))
        routes.add("gone.test", .error(EnhancedStatusCode(5, 1, 6), "they have moved"))
        routes.add("odd.test", .error(EnhancedStatusCode(4, 1, 6), "not of its class"))
        routes.add("nowhere.test", .discard)
        let refusal = RoutedRecipients(routes, hostname: "relay.test").refusal(of: address)
        #expect(refusal.map { "\($0.code) \($0.status)" } == expected)
    }

    @Test func troubleOfTheSystemIsForNow() throws {
        defer { cleanUp() }
        try Data().write(to: directory.appending(path: "file"))
        // A loop of links says nothing of who has a mailbox.
        try FileManager.default.createSymbolicLink(atPath: directory.appending(path: "b").path, withDestinationPath: "b")
        let looping = mailboxes("/%u").deliver(message())[0]
        #expect(looping.report.status == EnhancedStatusCode(4, 3, 0) && mailboxes("/%u").has("b@b.test"))
        let outcome = mailboxes("/file/x").deliver(message())[0]
        #expect(outcome.report.status == EnhancedStatusCode(4, 3, 0) && !outcome.report.text.contains(directory.path))
        #expect(MaildirError(operation: "write", path: "", code: ENOSPC).isFull)
    }
}
