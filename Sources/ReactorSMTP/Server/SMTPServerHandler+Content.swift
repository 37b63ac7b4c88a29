import ConnectionHandling
import Logging
import ReactorWire
import Synchronization

/// A message's content, from its first byte to the store's word that it is kept.
extension SMTPServerHandler {
    /// As much is taken at a time, so that little comes on top of a piece that is due.
    private static var slice: Int { 64 * 1024 }

    mutating func takeContent(_ bytes: RawSpan, from offset: Int, on connection: inout Connection) -> Int {
        guard let incoming = transaction?.incoming else { return 0 }
        let most = min(bytes.byteCount - offset, Self.slice)
        let used: Int
        if let left = incoming.chunkLeft {
            used = min(left, most)
            incoming.takeChunk(bytes.slice(offset..<offset + used))
        } else {
            (used, incoming.hasEnded) = incoming.decoder.decode(bytes.slice(0..<offset + most), from: offset, into: &incoming.content)
        }
        if incoming.content.size - server.limits.messageSize > server.limits.discardedData {
            close(with: .tooLarge, on: &connection)
        } else {
            contentArrived(incoming, on: &connection)
        }
        return used
    }

    /// Some content is there: what is due is done with it.
    mutating func contentArrived(_ incoming: IncomingMessage, on connection: inout Connection) {
        if incoming.chunkLeft == 0, incoming.isLastChunk { incoming.hasEnded = true }
        if incoming.hasEnded {
            incoming.content.finish()
            incoming.lines.finish()
        }
        complete(incoming, on: connection)
        if incoming.content.isPieceDue {
            writePiece(of: incoming, on: &connection)
        } else if incoming.hasEnded {
            finish(incoming, on: &connection)
        } else if incoming.chunkLeft == 0 {
            chunkEnded(incoming, on: &connection)
        } else {
            phase = .content
            awaitContent(incoming, on: &connection)
        }
    }

    func awaitContent(_ incoming: IncomingMessage?, on connection: inout Connection) {
        guard let incoming else { return }
        setDeadline(server.limits.dataBlock, before: incoming.deadline, on: &connection)
    }

    /// A chunk that another one will follow (RFC 3030 section 2).
    private mutating func chunkEnded(_ incoming: IncomingMessage, on connection: inout Connection) {
        phase = .command
        if let reply = incoming.refusal(server.limits) {
            end(refusedBy: reply, on: &connection)
        } else {
            connection.write("250 2.0.0 chunk taken, ")
            connection.output.append(decimal: incoming.content.size)
            connection.write(" bytes by now\r\n")
            awaitCommand(on: &connection)
        }
    }

    /// What users' programs leave out is added as soon as the header is whole: it may go to the file then.
    private func complete(_ incoming: IncomingMessage, on connection: borrowing Connection) {
        guard server.options.service == .submission, !incoming.isCompleted, incoming.content.header.end != nil,
            let envelope = transaction?.envelope
        else { return }
        incoming.isCompleted = true
        let fields = TraceHeader.missingFields(
            in: incoming.content.header, hostname: server.hostname, id: envelope.id, unixSeconds: envelope.received)
        if !fields.isEmpty { incoming.content.addToHeader(fields) }
    }

    // MARK: The file

    private mutating func writePiece(of incoming: IncomingMessage, on connection: inout Connection) {
        guard let id = transaction?.envelope.id else { return }
        connection.clearDeadline()
        let piece = incoming.content.takePiece()
        let awaited: Awaited<ContentFile?> = connection.perform { [store = server.store, file = incoming.content.file] in
            guard let file = try file ?? store.makeContentFile(for: id) else { return nil }
            try file.append(piece.span.bytes)
            return file
        }
        phase = .awaiting(.written(awaited, piece: piece))
    }

    mutating func written(_ result: Result<ContentFile?, any Error>?, _ piece: [UInt8], on connection: inout Connection) {
        guard let transaction, let incoming = transaction.incoming else { return }
        switch result {
        case .success(let file?): incoming.content.pieceWritten(to: file)
        case .success(nil): incoming.content.keepInMemory(piece)
        case .failure(let error):
            log(notStored: transaction.envelope, error)
            incoming.content.drop(Self.isFull(error) ? .noRoom : .notWritten)
        case nil: incoming.content.drop(.notWritten)
        }
        contentArrived(incoming, on: &connection)
    }

    private static func isFull(_ error: any Error) -> Bool {
        if let error = error as? ContentFileError { return error.isFull }
        if case .full = error as? MessageStoreError { return true }
        return false
    }

    // MARK: The end

    /// The message goes to the store, or is refused.
    private mutating func finish(_ incoming: IncomingMessage, on connection: inout Connection) {
        phase = .command
        if let reply = incoming.refusal(server.limits) { return end(refusedBy: reply, on: &connection) }
        // What is in memory follows what is in the file.
        if incoming.content.file != nil, !incoming.content.bytes.isEmpty { return writePiece(of: incoming, on: &connection) }
        connection.clearDeadline()
        decide(.message, on: &connection)
    }

    /// The transaction is over, without a message.
    mutating func end(refusedBy reply: SMTPServerReply, on connection: inout Connection) {
        switch reply {
        case .storeFull, .storeFailed: write(reply, on: &connection)  // Not an error of the peer's.
        default: refuse(reply, on: &connection)
        }
        transaction = nil
        awaitCommand(on: &connection)
    }

    mutating func commit(on connection: inout Connection) {
        guard let transaction, let incoming = transaction.incoming else { return }
        let verdict = Verdict()
        let share = incoming.content.share
        let content: MessageContent = incoming.content.file.map { .file($0) } ?? .bytes(incoming.content.bytes)
        let size = incoming.content.size
        connection.clearDeadline()
        // The store has the content now, or its file.
        transaction.incoming = nil
        connection.awaitStep { [store = server.store, envelope = transaction.envelope] work, _ in
            store.commit(envelope, content) { result in
                // The content is held until here, even if its connection is closed before.
                share.release()
                verdict.result.withLock { $0 = result }
                work.finish()
            }
        }
        phase = .awaiting(.committed(verdict, size: size))
    }

    mutating func committed(_ verdict: Verdict, _ size: Int, on connection: inout Connection) {
        guard let envelope = transaction?.envelope else { return }
        transaction = nil
        switch verdict.result.withLock({ $0 }) {
        case .success:
            counts.idleCommands = 0
            counts.errors = 0
            server.counters.accepted(recipients: envelope.recipients.count, size: size)
            log(accepted: envelope, size: size, on: connection)
            connection.write("250 2.0.0 queued as ")
            connection.write(envelope.id.text)
            connection.write("\r\n")
        case .failure(let error):
            log(notStored: envelope, error)
            write(Self.isFull(error) ? .storeFull : .storeFailed, on: &connection)
        case nil:
            write(.storeFailed, on: &connection)
        }
        awaitCommand(on: &connection)
    }

    // MARK: The log

    private func log(accepted envelope: Envelope, size: Int, on connection: borrowing Connection) {
        guard server.logger.logLevel <= .info else { return }
        let peer = connection.peer
        var metadata: Logger.Metadata = [
            "id": "\(envelope.id)", "from": "<\(envelope.sender)>", "recipients": "\(envelope.recipients.count)",
            "size": "\(size)", "peer": "\(peer)", "hello": "\(hello)",
        ]
        if let user { metadata["user"] = "\(user)" }
        if let envelopeID = envelope.envelopeID { metadata["envid"] = "\(envelopeID)" }
        server.logger.info("accepted", metadata: metadata)
    }

    private func log(notStored envelope: Envelope, _ error: any Error) {
        server.logger.error("not stored", metadata: ["id": "\(envelope.id)", "error": "\(error)"])
    }

    /// With the id of the message that it would have been part of.
    func log(refused reply: SMTPServerReply, on connection: borrowing Connection) {
        guard server.logger.logLevel <= .info else { return }
        let peer = connection.peer
        var metadata: Logger.Metadata = ["reply": "\(reply.text)", "peer": "\(peer)"]
        if !hello.isEmpty { metadata["hello"] = "\(hello)" }
        if let user { metadata["user"] = "\(user)" }
        if let envelope = transaction?.envelope {
            metadata["id"] = "\(envelope.id)"
            metadata["from"] = "<\(envelope.sender)>"
        }
        server.logger.info("refused", metadata: metadata)
    }
}
