import HTTPTestSupport
import ReactorHTTP
import ReactorTesting
import ReactorWeb
import ReactorWire
import Testing

private let head = "--AaB03x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"
private let end = "\r\n--AaB03x--\r\n"

@Suite struct MultipartParserTests {
    private static let form = """
        preamble\r
        --AaB03x \t\r
        content-disposition: Form-Data; name="text"\r
        \r
        Joe owes -> €100.\r
        --AaB03x\r
        Content-Disposition: form-data; name="file"; filename="a \\"b\\".txt"\r
        Content-Type: text/plain; charset=utf-8\r
        X-Other: ignored\r
        \r
        --AaB03\r\n\r\r\n--AaB03\r
        --AaB03x\r
        Content-Disposition: form-data; name=empty; filename=""\r
        \r
        \r
        --AaB03x\r
        Content-Disposition: form-data; name="none"\r
        \r
        --AaB03x--\r
        epilogue\r
        --AaB03x\r
        """

    private static let expected = Gathered(parts: [
        .init(name: "text", bytes: Array("Joe owes -> €100.".utf8), hasEnded: true),
        .init(
            name: "file", filename: "a \"b\".txt", contentType: "text/plain; charset=utf-8",
            bytes: Array("--AaB03\r\n\r\r\n--AaB03".utf8), hasEnded: true),
        .init(name: "empty", filename: "", hasEnded: true),
        .init(name: "none", hasEnded: true),
    ])

    /// Every way to cut the form in two, and byte by byte.
    @Test func everySplit() throws {
        let bytes = Array(Self.form.utf8)
        #expect(try gather(bytes) == Self.expected)
        #expect(try gather(bytes) { _ in 1 } == Self.expected)
        for first in 1..<bytes.count {
            #expect(try gather(bytes) { $0 == bytes.count ? first : $0 } == Self.expected, "cut at \(first)")
        }
    }

    /// Contents made of the delimiter's own pieces, cut anywhere.
    @Test(arguments: 0..<8) func contentsLikeTheBoundary(_ round: Int) throws {
        var generator = SeededGenerator(seed: seed &+ UInt64(round))
        let pieces = ["\r", "\n", "\r\n", "-", "--", "\r\n-", "\r\n--", "A", "AB", "\r\n--A", "--A", "x", "\0", "é"].map { Array($0.utf8) }
        for _ in 0..<150 {
            let contents = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                (0..<Int.random(in: 0...14, using: &generator)).flatMap { _ in pieces.randomElement(using: &generator) ?? [] }
            }
            // What holds the delimiter is no content.
            let delimiter = Array("\r\n--ABA".utf8)
            if contents.contains(where: { holds(Array("\r\n".utf8) + $0, delimiter) }) { continue }
            let body = formData(contents, boundary: "ABA")
            let parts = try gather(body, boundary: "ABA") { _ in Int.random(in: 1...5, using: &generator) }.parts
            #expect(parts.map(\.bytes) == contents)
            #expect(parts.allSatisfy { $0.hasEnded })
        }
    }

    private func holds(_ bytes: [UInt8], _ needle: [UInt8]) -> Bool {
        bytes.indices.contains { bytes[$0...].starts(with: needle) }
    }

    @Test func largeContentsArePassedOnInLargePieces() throws {
        struct Counting: MultipartReceiver {
            var calls = 0
            mutating func partBegan(_ head: MultipartHead) {}
            mutating func partReceived(_ bytes: RawSpan) { calls += 1 }
            mutating func partEnded() {}
        }
        let body = formData([[UInt8](repeating: UInt8(ascii: "\r"), count: 100_000)])
        var parser = try MultipartParser(contentType: Array("multipart/form-data;boundary=AaB03x".utf8).span.bytes)
        var counting = Counting()
        try parser.receive(body.span.bytes, into: &counting)
        try parser.finish()
        #expect(counting.calls == 1)
    }

    // MARK: Violations

    @Test func everyTruncation() throws {
        let body = Array((head + "content" + "\r\n--AaB03x--").utf8)
        #expect(try gather(body).parts.count == 1)
        for count in 0..<body.count {
            #expect(throws: MultipartViolation.truncated, "\(count) bytes") { try gather(Array(body.prefix(count))) }
        }
    }

    private static let bad: [(String, MultipartViolation)] = [
        ("--AaB03xy\r\n", MultipartViolation.malformedDelimiter), ("--AaB03x\n", .malformedDelimiter), ("--AaB03x-\r\n", .malformedDelimiter),
        ("--AaB03x --\r\n", .malformedDelimiter), ("--AaB03x\rX", .malformedDelimiter),
        ("\(head)x\r\n--AaB03xtra\r\n", .malformedDelimiter),
        ("--AaB03x\r\n\r\nno head\(end)", .malformedHead),
        ("--AaB03x\r\nContent-Type: text/plain\r\n\r\n\(end)", .malformedHead),
        ("--AaB03x\r\nContent-Disposition: form-data; name=\"a\"\n\r\n\(end)", .malformedHead),
        ("--AaB03x\r\nContent-Disposition: form-data; name=\"a\"\r\r\n\r\n\(end)", .malformedHead),
        ("--AaB03x\r\nContent-Disposition: form-data;\r\n name=\"a\"\r\n\r\n\(end)", .malformedHead),
        ("--AaB03x\r\nContent-Disposition : form-data; name=\"a\"\r\n\r\n\(end)", .malformedHead),
        ("--AaB03x\r\nContent-Disposition: form-data; name=\"a\0\"\r\n\r\n\(end)", .malformedHead),
        ("--AaB03x\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n\(end)", .malformedHead),
        ("--AaB03x\r\nContent-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\n\(end)", .malformedHead),
        ("--AaB03x\r\nContent-Disposition: form-data; name=\"a\r\n\r\n\(end)", .malformedHead),
        ("--AaB03x\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n\(end)", .malformedHead),
        ("--AaB03x\r\nContent-Disposition: form-data\r\n\r\n\(end)", .nameless),
        ("--AaB03x\r\nContent-Disposition: form-data; filename=\"a\"\r\n\r\n\(end)", .nameless),
        ("--AaB03x\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n\(end)", .encoded),
    ]

    @Test(arguments: bad)
    func isRefused(_ body: String, _ violation: MultipartViolation) {
        #expect(throws: violation) { try gather(body) }
        #expect(throws: violation) { try gather(Array(body.utf8)) { _ in 1 } }
        #expect(violation.status == .badRequest)
    }

    @Test(arguments: [
        "", "text/plain", "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=\"a \"", "multipart/form-data; boundary=\"a\u{1}\"", "multipart/form-data; boundary=\"ä\"",
        "multipart/mixed; boundary=a", "multipart/form-data; boundary=a; boundary=b", "multipart/form-data; boundary=a b",
        "multipart/form-data, boundary=a", "multipart/form-data; boundary=\"a", "multipart/form-data; boundary=\"a;b\"",
        "multipart/form-data; boundary=" + String(repeating: "a", count: 71),
    ])
    func typesThatAreNone(_ type: String) {
        #expect(throws: MultipartViolation.notMultipart) { _ = try MultipartParser(contentType: Array(type.utf8).span.bytes) }
        #expect(MultipartViolation.notMultipart.status == .unsupportedMediaType)
    }

    @Test(arguments: [
        "multipart/form-data; boundary=a", "Multipart/Form-Data;Boundary=\"a b\" ; charset=utf-8;", "multipart/form-data;;boundary=\"'()+_,-./:=?\"",
        "multipart/form-data; boundary=" + String(repeating: "a", count: 70),
    ])
    func typesThatAre(_ type: String) {
        #expect(throws: Never.self) { _ = try MultipartParser(contentType: Array(type.utf8).span.bytes) }
    }

    // MARK: Limits

    @Test func atTheLimitAndPastIt() throws {
        var limits = MultipartLimits()
        limits.parts = 2
        limits.preamble = 4
        limits.name = 3
        limits.head = 60
        #expect(try gather(formDataOf(2), limits: limits).parts.count == 2)
        #expect(throws: MultipartViolation.tooManyParts) { try gather(formDataOf(3), limits: limits) }
        #expect(try gather("four\r\n" + head + end, limits: limits).parts.count == 1)
        #expect(throws: MultipartViolation.preambleTooLong) { try gather("fives\r\n" + head + end, limits: limits) }
        func named(_ name: String) -> String { head.replacing("\"a\"", with: "\"\(name)\"") + end }
        #expect(try gather(named("abc"), limits: limits).parts.first?.name == "abc")
        #expect(throws: MultipartViolation.nameTooLong) { try gather(named("abcd"), limits: limits) }
        func headed(_ count: Int) -> String {
            let line = "Content-Disposition: form-data; name=a\r\nX: "
            return "--AaB03x\r\n" + line + String(repeating: "y", count: count - line.utf8.count - 4) + "\r\n\r\n" + end
        }
        #expect(try gather(headed(60), limits: limits).parts.count == 1)
        #expect(throws: MultipartViolation.headTooLong) { try gather(headed(61), limits: limits) }
    }

    private func formDataOf(_ parts: Int) -> String {
        String(repeating: "--AaB03x\r\nContent-Disposition: form-data; name=a\r\n\r\nv\r\n", count: parts) + "--AaB03x--"
    }

    @Test func nothingIsTakenAfterAViolation() throws {
        var parser = try MultipartParser(contentType: Array("multipart/form-data; boundary=x".utf8).span.bytes)
        var gathered = Gathered()
        #expect(throws: MultipartViolation.malformedDelimiter) { try parser.receive(Array("--xy".utf8).span.bytes, into: &gathered) }
        #expect(throws: MultipartViolation.self) { try parser.receive(Array("\r\n--x--".utf8).span.bytes, into: &gathered) }
        #expect(throws: MultipartViolation.truncated) { try parser.finish() }
        #expect(gathered.parts.isEmpty)
    }

    @Test func garbageNeverTraps() {
        var generator = SeededGenerator(seed: 9)
        let pieces = ["--x", "\r\n", "--", "x", "Content-Disposition: form-data; name=a", ":", ";", "\"", "\\", "\0", "ÿ", " "].map { Array($0.utf8) }
        for _ in 0..<3_000 {
            let body = (0..<Int.random(in: 0...20, using: &generator)).flatMap { _ in pieces.randomElement(using: &generator) ?? [] }
            _ = try? gather(body, boundary: "x") { _ in Int.random(in: 1...9, using: &generator) }
        }
    }
}

@Suite struct FilenameTests {
    @Test(arguments: [
        ("a.txt", "a.txt"), ("/etc/passwd", "passwd"), ("..\\..\\evil.exe", "evil.exe"), ("C:\\photos\\me.jpg", "me.jpg"),
        ("..", ""), (".", ""), ("...", ""), (".htaccess", "htaccess"), ("a/..", ""), ("dir/", ""), (" .x", "x"), ("a.txt. ", "a.txt"),
        ("a\u{0}b\u{7F}\u{85}", "ab"), ("x\u{202E}gpj.exe", "xgpj.exe"), ("ä€.png", "ä€.png"), ("a b", "a b"),
    ])
    func isNeverAPath(_ sent: String, _ expected: String) throws {
        let escaped = sent.replacing("\\", with: "\\\\")
        guard !sent.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return }
        let body = "--AaB03x\r\nContent-Disposition: form-data; name=a; filename=\"\(escaped)\"\r\n\r\n" + end
        #expect(try gather(body).parts.first?.filename == expected)
    }

    @Test func isCut() throws {
        let name = String(repeating: "€", count: 1_000)
        let body = "--AaB03x\r\nContent-Disposition: form-data; name=a; filename=\"\(name)\"\r\n\r\n" + end
        #expect(try gather(body).parts.first?.filename == String(repeating: "€", count: 66))
    }
}
