public import ConnectionHandling
import ReactorWire

/// The client's side of one SMTP or LMTP session: it delivers one message after another to a server, until its source has
/// no more, then ends with QUIT.
///
/// A message counts as delivered only by the positive reply to its content: if the connection is lost before, it is
/// sent again, even if the server had taken it. A message declared 8BITMIME that does hold 8-bit bytes fails
/// permanently (5.6.3) where the server does not offer 8BITMIME, one of the two ways RFC 6152 section 3 allows; so does one
/// declared BINARYMIME that does hold what only BDAT can carry (RFC 3030 section 3), and one that does need SMTPUTF8 (5.6.7,
/// 5.6.9: RFC 6531 section 3.5). A content in a file is read as it is sent, on the handler's thread, some 64 KiB at a time.
public struct SMTPClientHandler<Source: DeliverySource>: ConnectionHandler {
    let hostname: String
    let source: Source
    let options: SMTPClientOptions
    let limits: SMTPClientLimits
    var phase = Phase.greeting
    var parser: ReplyParser
    var extensions = ServerExtensions()
    var remote: String?
    /// Why the session ends, where that is not ``Phase/quit``.
    var trouble: SMTPClientEnd?

    /// TLS is there, or it was found that the session does without.
    var hasSettledTLS = false
    var authentication: ClientAuthentication?
    var proof: Awaited<SCRAMClient.Proof>?
    var isAuthenticated = false

    /// The message under way, until its outcomes are reported.
    var delivery: Delivery?
    var encoder = ContentEncoder(.data, size: 0)
    /// When the message must have been sent.
    var messageEnd = MonotonicTime.distantFuture

    /// Which reply is awaited.
    enum Phase {
        /// None: TLS begins.
        case handshake
        case greeting, ehlo, helo, startTLS, authentication
        case envelope, goAhead
        /// None: the content is being written.
        case content
        case verdict
        /// The reply to the content of a message that nobody gets.
        case discarded
        case reset, quit
        /// None: the connection is closing, all has been reported.
        case over
    }

    /// - Parameters:
    ///   - hostname: how the client calls itself: a domain name or an address literal.
    ///   - source: kept until the connection has closed.
    public init(
        hostname: String, source: Source, options: SMTPClientOptions = SMTPClientOptions(),
        limits: SMTPClientLimits = SMTPClientLimits()
    ) {
        self.hostname = hostname
        self.source = source
        self.options = options
        self.limits = limits
        parser = ReplyParser(limits: limits)
    }

    // MARK: Events

    public mutating func connected(on connection: inout Connection) {
        remote = options.remoteName ?? "\(connection.peer)"
        if case .implicit(let make) = options.tls { return startTLS(make, on: &connection) }
        connection.setDeadline(after: limits.greeting)
    }

    public mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        var offset = 0
        var hasBegunAnother = false
        // What came behind the reply to STARTTLS is thrown away by the connection: it was not protected.
        while offset < bytes.byteCount, !connection.isClosing, !connection.isBackedUp, !connection.isAwaiting, phase != .handshake {
            switch parser.next(in: bytes, from: offset) {
            case .incomplete(let used):
                return offset + used
            case .violation(let what):
                giveUp(.local(4, 5, 0, what), on: &connection)
            case .reply(let reply, let used):
                offset += used
                show(reply)
                // The next MAIL is not even written: one verdict too many would be taken for its answer, and so on.
                if hasBegunAnother, reply.code != 421 {
                    giveUp(.local(4, 5, 0, "a reply to nothing: \(reply)"), on: &connection)
                    continue
                }
                let wasVerdict = phase == .verdict || phase == .discarded
                take(reply, on: &connection)
                hasBegunAnother = wasVerdict && phase == .envelope
            }
        }
        return offset
    }

    public mutating func answered(on connection: inout Connection) { takeProof(on: &connection) }

    public mutating func secured(on connection: inout Connection) { startAgain(on: &connection) }

    public mutating func drained(on connection: inout Connection) {
        if phase == .content { writeContent(on: &connection) }
    }

    public mutating func endOfInput(on connection: inout Connection) {
        // What is left of a content must not follow: the message is sent again.
        giveUp(
            .local(4, 4, 2, "the next hop hung up; waited for \(phase.awaited)"), on: &connection,
            closing: connection.output.isEmpty ? .flushing : .aborting)
    }

    public mutating func deadlineExpired(on connection: inout Connection) {
        let isLate = delivery != nil && phase != .verdict && messageEnd <= connection.clock.now
        let what = isLate ? "the message took longer than \(limits.message)" : "timed out"
        giveUp(.local(4, 4, 2, "\(what) waiting for \(phase.awaited)"), on: &connection, closing: .aborting)
    }

    /// A message under way is finished; no other is begun.
    public mutating func stopping(on connection: inout Connection) {
        switch phase {
        case .greeting, .ehlo, .helo, .reset: quit(on: &connection)
        // In the middle of these no command is one.
        case .handshake, .startTLS, .authentication: giveUp(.local(4, 3, 2, "stopped"), on: &connection)
        case .envelope, .goAhead, .content, .verdict, .discarded, .quit, .over: break
        }
    }

    public mutating func closed(_ reason: CloseReason) {
        if phase == .quit { return source.ended(.finished) }
        if trouble == nil { trouble = end(by: reason) }
        if case .unusable(let report) = trouble { finish(.deferred(report)) }
        source.ended(trouble ?? .finished)
    }

    private func end(by reason: CloseReason) -> SMTPClientEnd {
        guard phase == .handshake else {
            return .unusable(.local(4, 4, 2, "connection lost (\(reason)) waiting for \(phase.awaited)"))
        }
        return tlsFailed("\(reason)")
    }

    // MARK: Ends

    /// The message under way, if any, is over: recipients without an outcome of their own get this one.
    mutating func finish(_ rest: DeliveryOutcome) {
        guard let done = delivery.take() else { return }
        messageEnd = .distantFuture
        source.attempted(done.message, done.outcomes.map { $0 ?? rest })
    }

    mutating func giveUp(
        _ why: DeliveryReport, on connection: inout Connection, closing: Connection.Closing = .flushing
    ) {
        if phase == .quit { return connection.close(closing) }
        if trouble == nil { trouble = .unusable(why) }
        finish(.deferred(why))
        phase = .over
        connection.close(closing)
    }

    /// What a reply says, for a report.
    func report(_ reply: SMTPReply) -> DeliveryReport { DeliveryReport(reply, from: remote) }

    // MARK: Sending

    /// - Parameter shown: what the transcript has instead.
    mutating func send(_ line: String, shown: String? = nil, on connection: inout Connection) {
        options.transcript?(.sent(shown ?? line))
        connection.write(line)
        connection.write("\r\n")
        wait(limits.command, on: &connection)
    }

    /// Waits for a reply, or for the next hop to take content, but not beyond the message's own time.
    func wait(_ time: Duration, on connection: inout Connection) {
        let left = connection.clock.now.nanoseconds(until: messageEnd)
        let end = connection.clock.now.advanced(by: time)
        connection.setDeadline(afterNanoseconds: min(connection.clock.now.nanoseconds(until: end), left))
    }

    mutating func quit(on connection: inout Connection) {
        send("QUIT", on: &connection)
        connection.setDeadline(after: limits.quit)
        phase = .quit
    }

    // MARK: The transcript

    private func show(_ reply: SMTPReply) {
        guard let transcript = options.transcript else { return }
        // Challenges tell about the password.
        if phase == .authentication, reply.code == 334 { return transcript(.received("334 (challenge)")) }
        for (index, line) in reply.lines.enumerated() {
            transcript(.received("\(reply.code)\(index == reply.lines.count - 1 ? " " : "-")\(printable(line.utf8))"))
        }
    }

    /// Shows the lines that were written behind the first `count` bytes of output.
    func showOutput(behind count: Int, of connection: borrowing Connection) {
        guard let transcript = options.transcript else { return }
        let written = connection.output.bytes.slice(min(count, connection.output.count)..<connection.output.count).text
        for line in written.split(separator: "\r\n") { transcript(.sent(String(line))) }
    }
}

extension SMTPClientHandler.Phase {
    var awaited: String {
        switch self {
        case .handshake: "the TLS handshake"
        case .greeting: "the greeting"
        case .ehlo, .helo: "the answer to EHLO or HELO"
        case .startTLS: "the answer to STARTTLS"
        case .authentication: "the answer to AUTH"
        case .envelope: "the answer to MAIL or RCPT"
        case .goAhead: "the answer to DATA"
        case .content: "the next hop to take the content"
        case .verdict, .discarded: "the answer to the content"
        case .reset: "the answer to RSET"
        case .quit: "the answer to QUIT"
        case .over: "nothing"
        }
    }
}
