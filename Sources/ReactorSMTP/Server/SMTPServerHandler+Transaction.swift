import ConnectionHandling
import ReactorWire

/// MAIL, RCPT, DATA and BDAT, up to the content.
extension SMTPServerHandler {
    /// Whether the client may have messages sent to anybody.
    func mayRelay(_ peer: SocketAddress) -> Bool {
        user != nil && server.relay.allowsAuthenticated || server.relay.allows(peer)
    }

    // MARK: MAIL

    mutating func startTransaction(
        _ line: RawSpan, _ argument: Range<Int>, on connection: inout Connection
    ) throws(SMTPServerReply) {
        if hello.isEmpty { throw .helloFirst }
        if transaction != nil { throw .nestedMail }
        if server.options.service == .submission, !mayRelay(connection.peer) { throw .authenticationFirst }
        let mail = try MailArgument(line, argument, as: .mail)
        if let size = mail.size, size > server.limits.messageSize { throw .tooLarge }
        counts.messages &+= 1
        if counts.messages > server.limits.messages { throw .tooManyMessages }
        if !server.relay.allows(connection.peer), !server.rates.allowsMessage(from: connection.peer, at: connection.clock.now) {
            throw .tooMuchMail
        }
        decide(
            .mail(
                Envelope(
                    id: .random(), sender: mail.mailbox, recipients: [], body: mail.body ?? .sevenBit,
                    isInternationalized: mail.isInternationalized, returnContent: mail.returnContent, envelopeID: mail.envelopeID,
                    received: connection.clock.unixSeconds)),
            on: &connection)
    }

    // MARK: RCPT

    mutating func addRecipient(
        _ line: RawSpan, _ argument: Range<Int>, on connection: inout Connection
    ) throws(SMTPServerReply) {
        guard let transaction else { throw .mailFirst }
        if transaction.incoming != nil { throw .chunksBegun }
        let envelope = transaction.envelope
        let argument = try MailArgument(line, argument, as: .rcpt(internationalized: envelope.isInternationalized))
        // A lone Postmaster is ours, and every server takes mail for it (section 4.5.1).
        if !mayRelay(connection.peer) {
            guard argument.domain.map(server.relay.lists) ?? true else { throw .relayingDenied }
            if !server.relay.allowsRoutedRecipients, RelayPolicy.isRouted(argument.mailbox) { throw .relayingDenied }
        }
        if envelope.recipients.count >= server.limits.recipients {
            // Not an error of the peer's: it sends the rest in another transaction (section 4.5.3.1.10).
            return write(.tooManyRecipients, on: &connection)
        }
        if !server.relay.allows(connection.peer), !server.rates.allowsRecipient(from: connection.peer, at: connection.clock.now) {
            throw .tooMuchRecipients
        }
        let recipient = Envelope.Recipient(argument.mailbox, notify: argument.notify, originalRecipient: argument.originalRecipient)
        decide(.recipient(recipient), on: &connection)
    }

    // MARK: DATA

    mutating func startData(on connection: inout Connection) throws(SMTPServerReply) {
        guard let transaction else { throw .mailFirst }
        if transaction.incoming != nil { throw .chunksBegun }
        // RFC 3030 section 3.
        if transaction.envelope.body == .binaryMIME { throw .binaryNeedsChunks }
        if transaction.envelope.recipients.isEmpty { throw .noRecipients }
        transaction.incoming = startContent(of: transaction, on: connection)
        phase = .content
        awaitContent(transaction.incoming, on: &connection)
        write(.startInput, on: &connection)
    }

    private func startContent(of transaction: SMTPTransaction, on connection: borrowing Connection) -> IncomingMessage {
        let limits = server.limits
        transaction.envelope.received = connection.clock.unixSeconds
        let envelope = transaction.envelope
        let trace = TraceHeader.make(
            greeting: hello,
            transmission: TraceHeader.transmission(
                extended: facts.contains(.extended), internationalized: envelope.isInternationalized,
                secured: connection.layer != nil, authenticated: user != nil),
            peer: connection.peer, hostname: server.hostname, id: envelope.id,
            recipient: envelope.recipients.count == 1 ? envelope.recipients[0].address : nil, unixSeconds: envelope.received)
        return IncomingMessage(
            IncomingContent(trace: trace, limits: limits, budget: server.content), isBinary: envelope.body == .binaryMIME,
            normalizing: normalizes(connection.peer), deadline: connection.clock.now.advanced(by: limits.wholeMessage))
    }

    // MARK: BDAT

    /// The chunk is consumed whatever is said to it: it follows its command at once (RFC 3030 section 2).
    mutating func startChunk(_ argument: RawSpan, on connection: inout Connection) throws(SMTPServerReply) {
        // Where the chunk ends is not known, so nothing behind it can be: the session ends.
        guard let chunk = ChunkArgument(argument) else { throw .badChunkSyntax }
        if let refusal = refusal(of: chunk) {
            if refusal.endsTransaction { transaction = nil }
            return startDiscarding(chunk.size, then: refusal.reply, on: &connection)
        }
        guard let transaction else { return }
        let incoming = transaction.incoming ?? startContent(of: transaction, on: connection)
        transaction.incoming = incoming
        incoming.chunkLeft = chunk.size
        incoming.isLastChunk = chunk.isLast
        phase = .content
        if chunk.size > 0 { return awaitContent(incoming, on: &connection) }
        if chunk.isLast || countsAsIdle(on: &connection) { contentArrived(incoming, on: &connection) }
    }

    private func refusal(of chunk: ChunkArgument) -> (reply: SMTPServerReply, endsTransaction: Bool)? {
        if facts.contains(.refused) { return (.refusedBefore, true) }
        guard let transaction else { return (.mailFirst, true) }
        if transaction.envelope.recipients.isEmpty { return (.noRecipients, false) }
        let (size, overflow) = (transaction.incoming?.content.size ?? 0).addingReportingOverflow(chunk.size)
        return overflow || size > server.limits.messageSize ? (.tooLarge, true) : nil
    }

    private mutating func startDiscarding(_ size: Int, then reply: SMTPServerReply, on connection: inout Connection) {
        if size > server.limits.discardedData {
            // Such a chunk is not waited for: the reply comes, and the end.
            log(refused: reply, on: connection)
            return close(with: reply, on: &connection)
        }
        connection.setDeadline(after: server.limits.wholeMessage)
        discard(size, then: reply, on: &connection)
    }

    /// So much of a refused chunk has yet to come; the reply is given at its end.
    mutating func discard(_ left: Int, then reply: SMTPServerReply, on connection: inout Connection) {
        if left > 0 { return phase = .discarding(left, reply) }
        phase = .command
        refuse(reply, on: &connection)
        awaitCommand(on: &connection)
    }
}
