import ConnectionHandling
import ReactorWire

/// What each command does (RFC 5321 section 4.1.1).
extension SMTPServerHandler {
    /// - Throws: the reply that refuses the command.
    mutating func execute(_ line: RawSpan, on connection: inout Connection) throws(SMTPServerReply) {
        let command = SMTPCommand(line)
        // BDAT's chunk follows it whatever is wrong.
        if facts.contains(.refused), command.verb != .quit, command.verb != .bdat { throw .refusedBefore }
        switch command.verb {
        case .ehlo, .helo:
            try sayHello(line.slice(command.argument), extended: command.verb == .ehlo, on: &connection)
        case .mail:
            try startTransaction(line, command.argument, on: &connection)
        case .rcpt:
            try addRecipient(line, command.argument, on: &connection)
        case .data:
            try expectNoArgument(command)
            try startData(on: &connection)
        case .bdat:
            try startChunk(line.slice(command.argument), on: &connection)
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
        case .auth:
            try startAuthentication(line.slice(command.argument), on: &connection)
        case .quit:
            try expectNoArgument(command)
            transaction = nil
            write(.bye, on: &connection)
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
        if countsAsIdle(on: &connection) { write(reply, on: &connection) }
    }

    mutating func countsAsIdle(on connection: inout Connection) -> Bool {
        counts.idleCommands &+= 1
        if counts.idleCommands <= server.limits.idleCommands { return true }
        close(with: .tooManyCommands, on: &connection)
        return false
    }

    // MARK: The greeting

    /// The policy has accepted the connection: the banner follows, at once or after the delay.
    ///
    /// - Parameter wasPending: the client has waited already, and may have talked meanwhile: what has come is looked at before.
    mutating func prepareGreeting(wasPending: Bool, on connection: inout Connection) {
        let delay = server.relay.allows(connection.peer) ? .zero : server.limits.greetDelay
        if delay <= .zero && !wasPending { return greet(on: &connection) }
        phase = .silence
        connection.setDeadline(after: delay)
    }

    mutating func greet(on connection: inout Connection) {
        phase = .command
        connection.write("220 ")
        connection.write(server.hostname)
        connection.write(" ESMTP ready\r\n")
        awaitCommand(on: &connection)
    }

    // MARK: STARTTLS

    /// RFC 3207: what the client has said before counts no more, and what it sent behind the command in plain is thrown
    /// away.
    private mutating func startTLS(_ command: SMTPCommand, on connection: inout Connection) throws(SMTPServerReply) {
        guard let makeLayer = server.startTLS else { throw .unimplemented }
        try expectNoArgument(command)
        if connection.layer != nil { throw .alreadySecure }
        hello = ""
        transaction = nil
        user = nil
        write(.startTLS, on: &connection)
        connection.start(makeLayer())
    }

    // MARK: HELO, EHLO

    private mutating func sayHello(
        _ name: RawSpan, extended: Bool, on connection: inout Connection
    ) throws(SMTPServerReply) {
        guard Self.isGreetingName(name) else { throw .badHello }
        guard countsAsIdle(on: &connection) else { return }
        decide(.hello(name.text, extended: extended), on: &connection)
    }

    mutating func answerHello(_ name: String, extended: Bool, on connection: inout Connection) {
        hello = name
        if extended { facts.insert(.extended) } else { facts.remove(.extended) }
        transaction = nil
        connection.write(extended ? "250-" : "250 ")
        connection.write(server.hostname)
        connection.write("\r\n")
        guard extended else { return }
        connection.write("250-PIPELINING\r\n250-SIZE ")
        connection.output.append(decimal: server.limits.messageSize)
        connection.write("\r\n250-8BITMIME\r\n250-BINARYMIME\r\n250-CHUNKING\r\n250-DSN\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n")
        if server.startTLS != nil && connection.layer == nil { connection.write("250-STARTTLS\r\n") }
        if let authenticator = server.options.authenticator, mayAuthenticate(on: connection) {
            connection.write("250-AUTH \(authenticator.mechanisms.map(\.rawValue).joined(separator: " "))\r\n" as String)
        }
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
}
