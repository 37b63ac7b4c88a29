import ConnectionHandling
import Logging
import ReactorSMTP
import ReactorTesting
import ReactorWire
import Synchronization

extension FuzzTarget {
    /// What a peer may send to a mail server, from its first byte. However it arrives, it is answered alike, and the same is stored.
    static let mailCommands = FuzzTarget(name: "mail-commands") { input in
        MailConversation.checkAgreement(on: Array("EHLO a\r\n".utf8) + input.bytes)
    }

    /// What follows BDAT and its first space, in a transaction.
    static let mailChunks = FuzzTarget(name: "mail-chunks") { input in
        MailConversation.checkAgreement(on: Array((MailConversation.begin + "BDAT ").utf8) + input.bytes)
    }

    /// A path and its parameters, as MAIL and RCPT have them. What is accepted can be written as it was read.
    static let mailAddresses = FuzzTarget(name: "mail-addresses") { input in
        let bytes = input.bytes
        guard let parsed = try? MailPath.parse(input, from: 0) else { return }
        precondition(parsed.end > 0 && parsed.end <= bytes.count && bytes[parsed.end - 1] == UInt8(ascii: ">"), "a path ends in >")
        let mailbox = String(decoding: bytes[parsed.mailbox], as: UTF8.self)
        expectEqual(Array(mailbox.utf8), Array(bytes[parsed.mailbox]), "UTF-8")
        expectEqual(parsed.isASCII, mailbox.utf8.allSatisfy { $0 < 128 }, "ASCII")
        precondition(!mailbox.utf8.contains { $0 < 32 || $0 == 127 }, "control characters")
        if let domain = parsed.domain {
            precondition(domain.upperBound == parsed.mailbox.upperBound && domain.lowerBound > parsed.mailbox.lowerBound, "a domain ends its mailbox")
            expectEqual(bytes[domain.lowerBound - 1], UInt8(ascii: "@"), "in front of the domain")
        }
        expectEqual(MailPath.isMailbox(mailbox, orEmpty: true, orInternationalized: true), !mailbox.isEmpty || parsed.mailbox.isEmpty, "again")
        expectEqual(MailPath.isMailbox(mailbox, orEmpty: true), parsed.isASCII, "without SMTPUTF8")
    }

    /// What follows DATA, and then an end that is one. It is taken as a reader would who has it all before him.
    static let mailData = FuzzTarget(name: "mail-data") { input in
        let data = input.bytes + Array("\r\n.\r\n".utf8)
        let expected = reference(data)
        for feeding in MailConversation.Feeding.allCases {
            let conversation = MailConversation(Array((MailConversation.begin + "DATA\r\n").utf8) + data, feeding)
            let reply = conversation.replyToContent
            if let expected {
                precondition(reply.hasPrefix("250 2.0.0 queued"), "\(feeding): \(reply)")
                precondition(conversation.contents.first?.suffix(expected.count) == expected[...], "\(feeding): another content")
                let trace = (conversation.contents.first?.count ?? 0) - expected.count
                expectEqual(trace, MailConversation.traceCount, "bytes in front of the content")
            } else {
                precondition(reply.hasPrefix("550 5.6.0"), "\(feeding): \(reply)")
            }
        }
        MailConversation.checkAgreement(on: Array((MailConversation.begin + "DATA\r\n").utf8) + data, normalizing: true)
    }

    /// The content, or nil if a CR or LF stands alone in it.
    private static func reference(_ data: [UInt8]) -> [UInt8]? {
        let text = [13, 10] + data
        var end = 0
        while Array(text[end..<end + 5]) != [13, 10, 46, 13, 10] { end += 1 }
        let content = Array(text[..<(end + 2)])
        var result: [UInt8] = []
        for (index, byte) in content.enumerated() {
            if byte == 10, index == 0 || content[index - 1] != 13 { return nil }
            if byte == 13, index + 1 == content.count || content[index + 1] != 10 { return nil }
            if byte == 46, index >= 2, content[index - 1] == 10, content[index - 2] == 13 { continue }
            result.append(byte)
        }
        return Array(result.dropFirst(2))
    }
}

/// What a mail server said to `input` that arrived in one way, and what it stored.
struct MailConversation: Equatable {
    enum Feeding: CaseIterable { case whole, byteByByte, randomly }

    static let begin = "EHLO a\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\n"
    /// The trace header of a message that was begun so.
    static let traceCount = "Received: from a ([127.0.0.1])\r\n\tby mx.test with ESMTP id 0123456789ABC\r\n\tfor <b@b.test>;\r\n\tSun, 06 Nov 1994 08:49:37 +0000\r\n".utf8.count

    var output: String
    var contents: [[UInt8]]
    var isOpen: Bool

    /// What was said first behind the word to send a message.
    var replyToContent: Substring {
        output.split(separator: "\r\n").drop { !$0.hasPrefix("354 ") }.dropFirst().first ?? "nothing"
    }

    init(_ input: [UInt8], _ feeding: Feeding, normalizing: Bool = false) {
        let store = Kept()
        var limits = SMTPServerLimits()
        // Low enough to be met.
        limits.commandLine = 600
        limits.messageSize = 2_000
        limits.contentInMemory = 300
        limits.recipients = 3
        limits.hops = 1_000
        limits.headerSize = 4_000
        if !normalizing { limits.messageSize = 10_000 }
        var options = SMTPServerOptions()
        options.authenticator = Users()
        options.authenticatesInPlain = true
        options.normalizing = normalizing ? CIDR.loopback : []
        let server = SMTPServer(
            hostname: "mx.test", store: store, limits: limits, options: options, logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
        let driver = TestDriver(SMTPServerHandler(server))
        // Follows from the input, so that what was found is found again.
        var generator = SeededGenerator(seed: input.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 })
        var rest = input[...]
        while !rest.isEmpty {
            let count =
                switch feeding {
                case .whole: rest.count
                case .byteByByte: 1
                case .randomly: Int.random(in: 1...min(rest.count, 40), using: &generator)
                }
            driver.receive(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        isOpen = driver.wantsInput
        driver.receiveEndOfInput()
        precondition(driver.closed == .finished, "closed: \(String(describing: driver.closed))")
        output = driver.takeOutput()
        contents = []
        for (id, content) in store.kept.withLock({ $0 }) {
            output = output.replacing(id, with: "ID")
            contents.append(Self.replacing(Array(id.utf8), in: content))
        }
    }

    /// Queue ids are made alike, of the same length.
    private static func replacing(_ id: [UInt8], in content: [UInt8]) -> [UInt8] {
        var content = content
        var index = 0
        while index + id.count <= min(content.count, 300) {
            if Array(content[index..<index + id.count]) == id { content.replaceSubrange(index..<index + id.count, with: Array("0123456789ABC".utf8)) }
            index += 1
        }
        return content
    }

    static func checkAgreement(on input: [UInt8], normalizing: Bool = false) {
        let expected = MailConversation(input, .whole, normalizing: normalizing)
        for feeding in Feeding.allCases where feeding != .whole {
            expectEqual(MailConversation(input, feeding, normalizing: normalizing), expected, "\(feeding)")
        }
    }

    private struct Users: SMTPAuthenticator {
        let mechanisms = [SMTPMechanism.plain, .login]
        func verifier(of user: String) async throws -> SMTPVerifier? { .password { $0 == user } }
    }

    /// A store that keeps messages, and has no files.
    private final class Kept: MessageStore {
        let kept = Mutex<[(String, [UInt8])]>([])

        func commit(_ envelope: Envelope, _ content: MessageContent, then: @escaping @Sendable (Result<Void, MessageStoreError>) -> Void) {
            var bytes: [UInt8] = []
            try? content.read(from: 0, upTo: content.size, into: &bytes)
            kept.withLock { $0.append((envelope.id.text, bytes)) }
            then(.success(()))
        }
    }
}
