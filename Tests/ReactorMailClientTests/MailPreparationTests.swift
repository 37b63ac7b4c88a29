import Foundation
@testable import ReactorMailClient
import ReactorSMTP
import TestSupport
import Testing

/// What becomes of what people write.
@Suite struct MailPreparationTests {
    private static let date = "Date: Sun, 06 Nov 1994 08:49:37 +0000\r\n"

    private func prepare(
        _ text: String, readingRecipients: Bool = false, _ feeding: Feeding = .whole, _ limits: MailPreparation.Limits = .init(),
        directory: String = "/tmp"
    ) throws -> (content: String, recipients: [String], isFile: Bool) {
        var preparation = MailPreparation(
            readingRecipients: readingRecipients, hostname: "here.test", unixSeconds: 784_111_777, directory: directory, limits: limits)
        for piece in feeding.pieces(of: Array(text.utf8)) { try preparation.add(Array(piece).span.bytes) }
        let prepared = try preparation.finish()
        var bytes: [UInt8] = []
        try prepared.content.read(from: 0, upTo: .max, into: &bytes)
        let isFile = if case .file = prepared.content { true } else { false }
        // The random part of what was added is left out.
        let content = String(decoding: bytes, as: UTF8.self).replacing(#/<784111777\.[0-9A-Z]{13}@/#, with: "<784111777.@")
        return (content, prepared.recipients, isFile)
    }

    private static let added = "\(date)Message-ID: <784111777.@here.test>\r\n"

    private static let cases: [(String, String)] = [
        ("", "\(added)\r\n"), ("\n", "\(added)\r\n"), ("A: b\n\nhi\n", "A: b\r\n\(added)\r\nhi\r\n"),
        ("A: b\r\n\r\nhi\r\n.\r\n", "A: b\r\n\(added)\r\nhi\r\n.\r\n"), ("A: b\r\n\nhi", "A: b\r\n\(added)\r\nhi"),
        ("A: b\n folded\n\tmore\n\nhi\n", "A: b\r\n folded\r\n\tmore\r\n\(added)\r\nhi\r\n"),
        ("date: x\nMESSAGE-ID : <y>\n\n", "date: x\r\nMESSAGE-ID : <y>\r\n\r\n"),
        ("Date: x\n\nDate: y\nMessage-ID: z\n", "Date: x\r\nMessage-ID: <784111777.@here.test>\r\n\r\nDate: y\r\nMessage-ID: z\r\n"),
        ("hello\nyou: two\n\nbye\n", "\(added)\r\nhello\r\nyou: two\r\n\r\nbye\r\n"), ("A: b\nno field\n\nx", "A: b\r\n\(added)\r\nno field\r\n\r\nx"),
        ("\nA: b\n", "\(added)\r\nA: b\r\n"), ("A: b", "A: b\r\n\(added)\r\n"), (" folded first\n", "\(added)\r\n folded first\r\n"),
        ("A: b\n\n\n\nx", "A: b\r\n\(added)\r\n\r\n\r\nx"), ("A: b\r\n\r\na\rb\n", "A: b\r\n\(added)\r\na\rb\r\n"), (": b\n\nx", "\(added)\r\n: b\r\n\r\nx"),
        ("Bcc: a@b.test\n\nx\n", "Bcc: a@b.test\r\n\(added)\r\nx\r\n"),
    ]

    @Test(arguments: cases.indices, Feeding.all) func texts(_ index: Int, _ feeding: Feeding) throws {
        let (text, expected) = Self.cases[index]
        #expect(try prepare(text, feeding).content == expected, "\(text.debugDescription)")
    }

    @Test(arguments: Feeding.all) func recipientsComeFromTheHeader(_ feeding: Feeding) throws {
        let text = "To: a@b.test,\n  Bee <b@b.test>\nBCC: c@b.test,\n d@b.test\nSubject: x\nCc: a@b.test\nBcc:\nX-To: z@b.test\n\nTo: y@b.test\n"
        let prepared = try prepare(text, readingRecipients: true, feeding)
        #expect(prepared.recipients == ["a@b.test", "b@b.test", "c@b.test", "d@b.test"])
        #expect(prepared.content == "To: a@b.test,\r\n  Bee <b@b.test>\r\nSubject: x\r\nCc: a@b.test\r\nX-To: z@b.test\r\n\(Self.added)\r\nTo: y@b.test\r\n")
    }

    @Test func aFieldThatIsNoListIsRefused() {
        #expect(throws: MailPreparationError.addresses(field: "Cc")) { try prepare("To: a@b\ncc: who knows\n\n", readingRecipients: true) }
    }

    @Test("the header's length", arguments: [(100, true), (101, false)]) func headerLimit(_ count: Int, _ isTaken: Bool) throws {
        var limits = MailPreparation.Limits()
        limits.header = 100
        let field = "A: " + String(repeating: "x", count: count - 5) + "\n"
        #expect(((try? prepare(field, .byteByByte, limits)) != nil) == isTaken)
        // A text without header is no header.
        #expect(try prepare(String(repeating: "x y ", count: 50), .byteByByte, limits).content.hasPrefix(Self.date))
    }

    @Test("large ones go to a file, which is gone afterwards", arguments: [(0, false), (1, true)])
    func largeOnes(_ more: Int, _ isFile: Bool) throws {
        let directory = try TemporaryDirectory()
        var limits = MailPreparation.Limits()
        limits.contentInMemory = 200
        let header = "Date: x\r\nMessage-ID: y\r\n\r\n"
        let text = header + String(repeating: "z", count: 200 - header.utf8.count + more)
        let prepared = try prepare(text, .byteByByte, limits, directory: directory.path)
        #expect(prepared.content == text && prepared.isFile == isFile)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
        if isFile {
            #expect(throws: MailPreparationError.self) { try prepare(text, .whole, limits, directory: "/nonexistent") }
        }
    }

    private static let lists: [(String, [String]?)] = [
        ("a@b", ["a@b"]), (" a@b , c@d", ["a@b", "c@d"]), ("", []), (" ", []), (",,a@b,", ["a@b"]), ("A B <a@b>", ["a@b"]),
        ("\"B, A\" <a@b>", ["a@b"]), ("\"a,b\"@c", ["\"a,b\"@c"]), ("<\"a>b\"@c>", ["\"a>b\"@c"]), ("a@b (c, d (e) \\) f)", ["a@b"]),
        ("(x) a . b @ c", ["a.b@c"]), ("g: a@b, C <c@d>;, e@f", ["a@b", "c@d", "e@f"]), ("none:;", []), ("< @r,@s:a@b >", ["a@b"]),
        ("\u{E9}@\u{E9}", ["\u{E9}@\u{E9}"]), ("\"a\\\"b\"@c", ["\"a\\\"b\"@c"]), ("a b@c", nil), ("a", nil), ("<a>", nil), ("a@b>", nil), ("<a@b", nil),
        ("<<a@b>>", nil), ("\"a@b", nil), ("(a@b", nil), ("a@b)", nil), ("<a@b> c", nil), ("<a@b> <c@d>", nil), ("a@b c@d", nil), ("<>", nil),
    ]

    @Test(arguments: lists.indices) func addressLists(_ index: Int) {
        let (field, expected) = Self.lists[index]
        #expect(AddressList.addresses(in: Array(field.utf8)) == expected, "\(field)")
    }
}
