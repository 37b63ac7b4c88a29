public import ConnectionHandling
import Logging
import ReactorWire
import Synchronization

/// The server's side of one SMTP session: RFC 5321, with SIZE (RFC 1870), PIPELINING (RFC 2920), 8BITMIME (RFC 6152)
/// ENHANCEDSTATUSCODES (RFC 2034) and STARTTLS (RFC 3207).
///
/// Every command gets one reply, in order. A message is acknowledged only after the store has committed it.
public struct SMTPServerHandler<Store: MessageStore>: ConnectionHandler {
    let server: SMTPServer<Store>
    var phase = Phase.command
    var hello: Hello?
    var transaction: Transaction?
    var errors = 0
    var idleCommands = 0
    private var framing: LineFraming

    /// What the next bytes are.
    enum Phase {
        case command
        /// The rest of a command line that was too long, and how much of it there was.
        case overlongLine(Int)
        case data(Incoming)
        /// No bytes: the message is with the store.
        case committing(Verdict, Envelope, size: Int)
    }

    struct Hello {
        var name: String
        /// EHLO, not HELO.
        var extended: Bool
    }

    /// What MAIL and RCPT have gathered.
    struct Transaction {
        var sender: String
        var body: Envelope.BodyType
        var recipients: [Envelope.Recipient] = []
    }

    /// A message whose content is arriving.
    struct Incoming {
        let envelope: Envelope
        var decoder = DataDecoder()
        var content: ContentBuffer
        let deadline: MonotonicTime
    }

    /// What the store says, by the time that ``answered(on:)`` is called.
    final class Verdict: Sendable {
        let result = Mutex<Result<Void, MessageStoreError>?>(nil)
    }

    public init(_ server: SMTPServer<Store>) {
        self.server = server
        framing = LineFraming(limit: server.limits.commandLine)
    }

    // MARK: Events

    public mutating func connected(on connection: inout Connection) {
        connection.write("220 ")
        connection.write(server.hostname)
        connection.write(" ESMTP ready\r\n")
        connection.setDeadline(after: server.limits.command)
    }

    public mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        var offset = 0
        while offset < bytes.byteCount, connection.takesInput {
            let used = take(bytes, from: offset, on: &connection)
            if used == 0 { break }
            offset += used
        }
        return offset
    }

    public mutating func secured(on connection: inout Connection) { awaitCommand(on: &connection) }

    public mutating func answered(on connection: inout Connection) {
        guard case .committing(let verdict, let envelope, let size) = phase else { return }
        phase = .command
        switch verdict.result.withLock({ $0 }) {
        case .success:
            idleCommands = 0
            errors = 0
            log(accepted: envelope, size: size, from: connection.peer)
            connection.write("250 2.0.0 queued as ")
            connection.write(envelope.id.text)
            connection.write("\r\n")
        case .failure(let error):
            log(notStored: envelope, error)
            if case .full = error {
                connection.write(SMTPServerReply.storeFull.line)
            } else {
                connection.write(SMTPServerReply.storeFailed.line)
            }
        case nil:
            connection.write(SMTPServerReply.storeFailed.line)
        }
        awaitCommand(on: &connection)
    }

    public mutating func deadlineExpired(on connection: inout Connection) {
        if case .data = phase {
            phase = .command  // What came of the content is not kept while the connection closes.
            return close(with: .dataTimeout, on: &connection)
        }
        close(with: .commandTimeout, on: &connection)
    }

    /// Between transactions the session ends at once; within one it ends once the message has had its reply.
    public mutating func stopping(on connection: inout Connection) { closeIfStopping(on: &connection) }

    public mutating func endOfInput(on connection: inout Connection) {
        if case .data = phase { phase = .command }
        connection.close()
    }

    public mutating func closed(_ reason: CloseReason) {
        if case .data = phase { phase = .command }
    }

    // MARK: Input

    /// Takes one command, or what there is of a message. Returns how many bytes it used, 0 when it needs more.
    private mutating func take(_ bytes: RawSpan, from offset: Int, on connection: inout Connection) -> Int {
        switch phase {
        case .command: return takeCommand(bytes, from: offset, on: &connection)
        case .overlongLine(let length): return skipLine(bytes, from: offset, after: length, on: &connection)
        case .data(var incoming):
            phase = .command  // So that the content has one owner, and appending does not copy it.
            return takeData(&incoming, bytes, from: offset, on: &connection)
        case .committing: return 0
        }
    }

    private mutating func takeCommand(_ bytes: RawSpan, from offset: Int, on connection: inout Connection) -> Int {
        do throws(LineFraming.Violation) {
            guard let line = try framing.next(in: bytes, from: offset) else { return 0 }
            do throws(SMTPServerReply) {
                try execute(bytes.slice(line.payload), on: &connection)
            } catch {
                refuse(error, on: &connection)
            }
            if case .command = phase { awaitCommand(on: &connection) }
            return line.next - offset
        } catch {
            switch error {
            case .tooLong:
                framing = LineFraming(limit: server.limits.commandLine)
                return skipLine(bytes, from: offset, after: 0, on: &connection)
            case .bareLineBreak(let next):
                refuse(.bareLineBreak, on: &connection)
                awaitCommand(on: &connection)
                return next - offset
            }
        }
    }

    /// The refusal of an overlong line is given at its end, so that it answers one command.
    private mutating func skipLine(
        _ bytes: RawSpan, from offset: Int, after length: Int, on connection: inout Connection
    ) -> Int {
        let lineFeed = bytes.firstIndex(of: UInt8(ascii: "\n"), from: offset)
        let used = (lineFeed.map { $0 + 1 } ?? bytes.byteCount) - offset
        phase = .overlongLine(length + used)
        if length + used > server.limits.discardedLine {
            close(with: .lineTooLong, on: &connection)
        } else if lineFeed != nil {
            phase = .command
            refuse(.lineTooLong, on: &connection)
            awaitCommand(on: &connection)
        }
        return used
    }

    private mutating func takeData(
        _ incoming: inout Incoming, _ bytes: RawSpan, from offset: Int, on connection: inout Connection
    ) -> Int {
        let (used, ended) = incoming.decoder.decode(bytes, from: offset, into: &incoming.content)
        if incoming.content.size - server.limits.messageSize > server.limits.discardedData {
            close(with: .tooLarge, on: &connection)
        } else if ended {
            finish(incoming, on: &connection)
        } else {
            let left = connection.clock.now.nanoseconds(until: incoming.deadline)
            connection.setDeadline(afterNanoseconds: min(left, server.limits.dataBlock.wholeNanoseconds))
            phase = .data(incoming)
        }
        return used
    }

    /// The end of the data: the message goes to the store, or is refused.
    private mutating func finish(_ incoming: consuming Incoming, on connection: inout Connection) {
        if incoming.decoder.isMalformed || incoming.content.isTooLarge {
            refuse(incoming.decoder.isMalformed ? .malformedContent : .tooLarge, on: &connection)
            return awaitCommand(on: &connection)
        }
        if incoming.content.isDropped {
            // Not an error of the peer's.
            connection.write(SMTPServerReply.storeFull.line)
            return awaitCommand(on: &connection)
        }
        connection.clearDeadline()
        let envelope = incoming.envelope
        let content = incoming.content.bytes
        let size = incoming.content.size
        let share = incoming.content.share
        // Our own field is the first one.
        if TraceHeader.count(in: content.span.bytes, upTo: server.limits.hops + 1) > server.limits.hops + 1 {
            refuse(.tooManyHops, on: &connection)
            return awaitCommand(on: &connection)
        }
        let verdict = Verdict()
        connection.awaitStep { [store = server.store] work, _ in
            store.commit(envelope, .bytes(content)) { result in
                // The content is held until here, even if its connection is closed before.
                share.release()
                verdict.result.withLock { $0 = result }
                work.finish()
            }
        }
        phase = .committing(verdict, envelope, size: size)
    }

    // MARK: Replies that end things

    /// Refuses a command or message; too many of these end the session.
    mutating func refuse(_ reply: SMTPServerReply, on connection: inout Connection) {
        errors += 1
        if errors > server.limits.errors { return close(with: .tooManyErrors, on: &connection) }
        connection.write(reply.line)
    }

    mutating func close(with reply: SMTPServerReply, on connection: inout Connection) {
        connection.write(reply.line)
        connection.close(.lingering)
    }

    private mutating func awaitCommand(on connection: inout Connection) {
        connection.setDeadline(after: server.limits.command)
        closeIfStopping(on: &connection)
    }

    private mutating func closeIfStopping(on connection: inout Connection) {
        guard connection.isStopping, !connection.isClosing, transaction == nil, case .command = phase else { return }
        close(with: .stopping, on: &connection)
    }

    // MARK: Log

    private func log(accepted envelope: Envelope, size: Int, from peer: SocketAddress) {
        server.logger.info(
            "accepted",
            metadata: [
                "id": "\(envelope.id)", "from": "<\(envelope.sender)>", "recipients": "\(envelope.recipients.count)",
                "size": "\(size)", "peer": "\(peer)",
            ])
    }

    private func log(notStored envelope: Envelope, _ error: any Error) {
        server.logger.error("not stored", metadata: ["id": "\(envelope.id)", "error": "\(error)"])
    }
}
