import ConnectionHandling
import ReactorWire

/// What each command does (RFC 5321 section 4.1.1).
extension SMTPServerHandler {
    /// - Throws: the reply that refuses the command.
    mutating func execute(_ line: RawSpan, on connection: inout Connection) throws(SMTPServerReply) {
        let command = SMTPCommand(line)
        switch command.verb {
        case .ehlo, .helo:
            try greet(line.slice(command.argument), extended: command.verb == .ehlo, on: &connection)
        case .mail:
            try startTransaction(line, command.argument, on: &connection)
        case .rcpt:
            try addRecipient(line, command.argument, on: &connection)
        case .data:
            try expectNoArgument(command)
            try startData(on: &connection)
        case .rset:
            try expectNoArgument(command)
            transaction = nil
            answerIdle(.reset, on: &connection)
        case .noop:
            answerIdle(.ok, on: &connection)
        case .vrfy:
            if command.argument.isEmpty { throw .argumentExpected }
            answerIdle(.cannotVerify, on: &connection)
        case .help:
            answerIdle(.help, on: &connection)
        case .starttls:
            try startTLS(command, on: &connection)
        case .quit:
            try expectNoArgument(command)
            connection.write(SMTPServerReply.bye.line)
            connection.close()
        case .unimplemented:
            throw .unimplemented
        case .unknown:
            throw .unknownCommand
        }
    }

    private func expectNoArgument(_ command: SMTPCommand) throws(SMTPServerReply) {
        if !command.argument.isEmpty { throw .noArgumentExpected }
    }

    /// Answers a command that brings no message nearer; too many of these end the session.
    private mutating func answerIdle(_ reply: SMTPServerReply, on connection: inout Connection) {
        if countsAsIdle(on: &connection) { connection.write(reply.line) }
    }

    private mutating func countsAsIdle(on connection: inout Connection) -> Bool {
        idleCommands += 1
        if idleCommands <= server.limits.idleCommands { return true }
        close(with: .tooManyCommands, on: &connection)
        return false
    }

    // MARK: STARTTLS

    /// RFC 3207: what the client has said before counts no more, and what it sent behind the command in plain is thrown
    /// away.
    private mutating func startTLS(_ command: SMTPCommand, on connection: inout Connection) throws(SMTPServerReply) {
        guard let makeLayer = server.startTLS else { throw .unimplemented }
        try expectNoArgument(command)
        if connection.layer != nil { throw .alreadySecure }
        hello = nil
        transaction = nil
        connection.write(SMTPServerReply.startTLS.line)
        connection.start(makeLayer())
    }

    // MARK: HELO, EHLO

    private mutating func greet(
        _ name: RawSpan, extended: Bool, on connection: inout Connection
    ) throws(SMTPServerReply) {
        guard Self.isGreetingName(name) else { throw .badHello }
        guard countsAsIdle(on: &connection) else { return }
        hello = Hello(name: name.text, extended: extended)
        transaction = nil
        connection.write(extended ? "250-" : "250 ")
        connection.write(server.hostname)
        connection.write("\r\n")
        guard extended else { return }
        connection.write("250-PIPELINING\r\n250-SIZE ")
        connection.output.append(decimal: server.limits.messageSize)
        connection.write("\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n")
        if server.startTLS != nil && connection.layer == nil { connection.write("250-STARTTLS\r\n") }
        connection.write("250 HELP\r\n")
    }

    /// Looser than the grammar, since many clients call themselves by a name that is no domain; but nothing that could
    /// be taken for something else where it is shown, in the trace header.
    private static func isGreetingName(_ name: RawSpan) -> Bool {
        guard (1...MailPath.maxDomain).contains(name.byteCount) else { return false }
        for index in 0..<name.byteCount {
            switch name[index] {
            case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "["),
                UInt8(ascii: "]"):
                continue
            case let byte:
                if !MailPath.isLetterOrDigit(byte) { return false }
            }
        }
        return true
    }

    // MARK: MAIL, RCPT, DATA

    private mutating func startTransaction(
        _ line: RawSpan, _ argument: Range<Int>, on connection: inout Connection
    ) throws(SMTPServerReply) {
        if hello == nil { throw .helloFirst }
        if transaction != nil { throw .nestedMail }
        let mail = try MailArgument(line, argument, as: .mail)
        if let size = mail.size, size > server.limits.messageSize { throw .tooLarge }
        transaction = Transaction(sender: mail.mailbox, body: mail.body ?? .sevenBit)
        connection.write(SMTPServerReply.senderOK.line)
    }

    private mutating func addRecipient(
        _ line: RawSpan, _ argument: Range<Int>, on connection: inout Connection
    ) throws(SMTPServerReply) {
        guard let recipients = transaction?.recipients.count else { throw .mailFirst }
        let recipient = try MailArgument(line, argument, as: .rcpt).mailbox
        // A lone Postmaster is ours, and every server takes mail for it (section 4.5.1).
        let isPostmaster = !recipient.utf8.contains(UInt8(ascii: "@"))
        guard isPostmaster || server.relay.allows(connection.peer) else { throw .relayingDenied }
        if recipients >= server.limits.recipients {
            // Not an error of the peer's: it sends the rest in another transaction (section 4.5.3.1.10).
            connection.write(SMTPServerReply.tooManyRecipients.line)
            return
        }
        transaction?.recipients.append(Envelope.Recipient(recipient))
        connection.write(SMTPServerReply.recipientOK.line)
    }

    private mutating func startData(on connection: inout Connection) throws(SMTPServerReply) {
        guard let hello, let mail = transaction else { throw .mailFirst }
        if mail.recipients.isEmpty { throw .noRecipients }
        transaction = nil
        let envelope = Envelope(
            id: .random(), sender: mail.sender, recipients: mail.recipients, body: mail.body,
            received: connection.clock.unixSeconds)
        let header = TraceHeader.make(
            greeting: hello.name, transmission: .init(extended: hello.extended, secured: connection.layer != nil),
            peer: connection.peer, hostname: server.hostname, id: envelope.id,
            recipient: mail.recipients.count == 1 ? mail.recipients[0].address : nil, unixSeconds: envelope.received)
        let limits = server.limits
        phase = .data(
            Incoming(
                envelope: envelope,
                content: ContentBuffer(header: header, limit: limits.messageSize, budget: server.content),
                deadline: connection.clock.now.advanced(by: limits.wholeMessage)))
        connection.setDeadline(after: min(limits.dataBlock, limits.wholeMessage))
        connection.write(SMTPServerReply.startInput.line)
    }
}
