public import ConnectionHandling
import ReactorWire

/// The client's side of one SMTP session: it delivers one message after another to a server, until its source has no
/// more, then ends with QUIT.
///
/// A message counts as delivered only by the positive reply to its content: if the connection is lost before, it is
/// sent again, even if the server had taken it. A message declared 8BITMIME that does hold 8-bit bytes fails
/// permanently (5.6.3) where the server does not offer 8BITMIME, one of the two ways RFC 6152 section 3 allows.
public struct SMTPClientHandler<Source: DeliverySource>: ConnectionHandler {
    private let hostname: String
    private let source: Source
    private let limits: SMTPClientLimits
    private var phase = Phase.greeting
    private var parser: ReplyParser
    private var extensions = ServerExtensions()
    /// Why the session ends, where that is not ``Phase/quit``.
    private var trouble: String?

    /// Which reply is awaited.
    private enum Phase {
        case greeting, ehlo, helo
        case envelope(Delivery)
        case goAhead(Delivery)
        /// None: the content is being written.
        case content(Delivery, ContentEncoder)
        case verdict(Delivery)
        case reset, quit
        /// None: the connection is closing, all has been reported.
        case over

        var delivery: Delivery? {
            switch self {
            case .envelope(let delivery), .goAhead(let delivery), .content(let delivery, _), .verdict(let delivery):
                delivery
            case .greeting, .ehlo, .helo, .reset, .quit, .over: nil
            }
        }
    }

    /// - Parameters:
    ///   - hostname: how the client calls itself: a domain name or an address literal.
    ///   - source: kept until the connection has closed.
    public init(hostname: String, source: Source, limits: SMTPClientLimits = SMTPClientLimits()) {
        self.hostname = hostname
        self.source = source
        self.limits = limits
        parser = ReplyParser(limits: limits)
    }

    // MARK: Events

    public mutating func connected(on connection: inout Connection) { connection.setDeadline(after: limits.greeting) }

    public mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        var offset = 0
        while offset < bytes.byteCount, !connection.isClosing, !connection.isBackedUp {
            switch parser.next(in: bytes, from: offset) {
            case .incomplete(let used):
                return offset + used
            case .violation(let what):
                giveUp(what, on: &connection)
            case .reply(let reply, let used):
                offset += used
                take(reply, on: &connection)
            }
        }
        return offset
    }

    public mutating func drained(on connection: inout Connection) {
        guard case .content(let delivery, let encoder) = phase else { return }
        writeContent(delivery, encoder, on: &connection)
    }

    public mutating func endOfInput(on connection: inout Connection) {
        // What is left of a content must not follow: the message is sent again.
        giveUp(
            "the next hop hung up; waited for \(awaited)", on: &connection,
            closing: connection.output.isEmpty ? .flushing : .aborting)
    }

    public mutating func deadlineExpired(on connection: inout Connection) {
        giveUp("timed out waiting for \(awaited)", on: &connection, closing: .aborting)
    }

    /// A message under way is finished; no other is begun.
    public mutating func stopping(on connection: inout Connection) {
        switch phase {
        case .greeting, .ehlo, .helo, .reset: quit(on: &connection)
        case .envelope, .goAhead, .content, .verdict, .quit, .over: break
        }
    }

    public mutating func closed(_ reason: CloseReason) {
        if case .quit = phase { return source.ended(.finished) }
        let why = trouble ?? "connection lost (\(reason)) waiting for \(awaited)"
        report(.deferred(.local(4, 4, 2, why)))
        source.ended(.unusable(why))
    }

    private var awaited: String {
        switch phase {
        case .greeting: "the greeting"
        case .ehlo, .helo: "the answer to EHLO or HELO"
        case .envelope: "the answer to MAIL or RCPT"
        case .goAhead: "the answer to DATA"
        case .content: "the next hop to take the content"
        case .verdict: "the answer to the content"
        case .reset: "the answer to RSET"
        case .quit: "the answer to QUIT"
        case .over: "nothing"
        }
    }

    // MARK: Replies

    private mutating func take(_ reply: SMTPReply, on connection: inout Connection) {
        if reply.code == 421 { return serviceCloses(reply, on: &connection) }
        switch phase {
        case .greeting:
            if reply.code != 220 { return giveUp("refused: \(reply)", on: &connection) }
            send("EHLO ", hostname, on: &connection)
            phase = .ehlo
        case .ehlo:
            if reply.isPositive {
                extensions = ServerExtensions(reply)
                startMessage(on: &connection)
            } else if reply.code / 100 == 5 {
                send("HELO ", hostname, on: &connection)
                phase = .helo
            } else {
                giveUp("EHLO refused: \(reply)", on: &connection)
            }
        case .helo:
            if !reply.isPositive { return giveUp("HELO refused: \(reply)", on: &connection) }
            startMessage(on: &connection)
        case .envelope(let delivery):
            takeEnvelope(reply, delivery, on: &connection)
        case .goAhead(let delivery):
            takeGoAhead(reply, delivery, on: &connection)
        case .content:
            answersTooEarly(reply, on: &connection)
        case .verdict where !connection.output.isEmpty:
            answersTooEarly(reply, on: &connection)
        case .verdict:
            guard let outcome = reply.isPositive ? .delivered(DeliveryReport(reply)) : DeliveryOutcome(refusal: reply) else {
                return giveUp("unexpected answer to the content: \(reply)", on: &connection)
            }
            report(outcome)
            startMessage(on: &connection)
        case .reset:
            if !reply.isPositive { return giveUp("RSET refused: \(reply)", on: &connection) }
            startMessage(on: &connection)
        case .quit:
            connection.close()
        case .over:
            break
        }
    }

    private mutating func takeEnvelope(_ reply: SMTPReply, _ delivery: Delivery, on connection: inout Connection) {
        var delivery = delivery
        guard delivery.take(reply) else {
            return giveUp("unexpected answer to MAIL or RCPT: \(reply)", on: &connection)
        }
        if delivery.answered == 1 { source.nextHopWorks() }
        phase = .envelope(delivery)
        if delivery.awaitsReply { return connection.setDeadline(after: limits.command) }
        if delivery.isDecided {
            report(.deferred(.local(4, 4, 2, "not reached")))
            send("RSET", on: &connection)
            phase = .reset
        } else if delivery.writeNext(to: &connection.output) {
            phase = .envelope(delivery)
            connection.setDeadline(after: limits.command)
        } else {
            connection.write("DATA\r\n")
            connection.setDeadline(after: limits.dataInitiation)
            phase = .goAhead(delivery)
        }
    }

    private mutating func takeGoAhead(_ reply: SMTPReply, _ delivery: Delivery, on connection: inout Connection) {
        if reply.code == 354 {
            writeContent(delivery, ContentEncoder(), on: &connection)
        } else if let outcome = DeliveryOutcome(refusal: reply) {
            report(outcome)
            send("RSET", on: &connection)
            phase = .reset
        } else {
            giveUp("unexpected answer to DATA: \(reply)", on: &connection)
        }
    }

    /// A reply to a content that was not written to its end is about something else, even if it is positive; and what
    /// follows is out of step.
    private mutating func answersTooEarly(_ reply: SMTPReply, on connection: inout Connection) {
        // What is left of the content must not follow.
        giveUp("answered before the end of the content: \(reply)", on: &connection, closing: .aborting)
    }

    /// 421 may come at any time (RFC 5321 section 3.8): the server is about to close.
    private mutating func serviceCloses(_ reply: SMTPReply, on connection: inout Connection) {
        if case .quit = phase { return connection.close() }
        giveUp("\(reply)", on: &connection)
    }

    // MARK: Sending

    private mutating func startMessage(on connection: inout Connection) {
        // A loop: messages that cannot be sent at all are told so at once.
        while !connection.isStopping, let message = source.nextMessage() {
            var delivery = Delivery(message, pipelined: extensions.pipelining)
            delivery.check(extensions)
            if delivery.isDecided {
                phase = .envelope(delivery)
                report(.deferred(.local(4, 4, 2, "not reached")))
                continue
            }
            delivery.writeMail(extensions, to: &connection.output)
            phase = .envelope(delivery)
            connection.setDeadline(after: limits.command)
            return
        }
        quit(on: &connection)
    }

    private mutating func writeContent(
        _ delivery: Delivery, _ encoder: ContentEncoder, on connection: inout Connection
    ) {
        var encoder = encoder
        guard case .bytes(let content) = delivery.message.content else { return }
        while !encoder.isDone, !connection.isBackedUp {
            encoder.writePiece(of: content.span.bytes, to: &connection.output)
        }
        phase = encoder.isDone ? .verdict(delivery) : .content(delivery, encoder)
        connection.setDeadline(after: encoder.isDone ? limits.dataTermination : limits.dataBlock)
    }

    private mutating func send(_ command: StaticString, _ argument: String = "", on connection: inout Connection) {
        connection.write(command)
        connection.write(argument)
        connection.write("\r\n")
        connection.setDeadline(after: limits.command)
    }

    private mutating func quit(on connection: inout Connection) {
        send("QUIT", on: &connection)
        connection.setDeadline(after: limits.quit)
        phase = .quit
    }

    // MARK: Ends

    /// The message under way, if any, is over: recipients without an outcome of their own get this one.
    private mutating func report(_ rest: DeliveryOutcome) {
        guard let delivery = phase.delivery else { return }
        phase = .over
        source.attempted(delivery.message, delivery.outcomes.map { $0 ?? rest })
    }

    private mutating func giveUp(
        _ why: String, on connection: inout Connection, closing: Connection.Closing = .flushing
    ) {
        if case .quit = phase { return connection.close(closing) }
        trouble = why
        report(.deferred(.local(4, 4, 2, why)))
        phase = .over
        connection.close(closing)
    }
}
