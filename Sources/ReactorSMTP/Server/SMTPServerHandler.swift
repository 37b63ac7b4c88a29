public import ConnectionHandling
import ReactorWire
import Synchronization

/// The server's side of one SMTP session: RFC 5321, with PIPELINING (RFC 2920), SIZE (RFC 1870), 8BITMIME (RFC 6152), CHUNKING
/// and BINARYMIME (RFC 3030), DSN (RFC 3461), SMTPUTF8 (RFC 6531), ENHANCEDSTATUSCODES (RFC 2034), STARTTLS (RFC 3207) and
/// AUTH (RFC 4954).
///
/// Every command gets one reply, in order. A message is acknowledged only after the store has committed it. On a connection
/// that has a layer when it begins, that layer protects it from the start (RFC 8314).
public struct SMTPServerHandler<Store: MessageStore>: ConnectionHandler {
    let server: SMTPServer<Store>
    var phase = Phase.command
    /// What the client calls itself; empty before HELO and EHLO.
    var hello = ""
    var transaction: SMTPTransaction?
    /// Who it has proved to be.
    var user: String?
    var framing: LineFraming
    var counts = Counts()
    var facts: Facts = []

    /// What the next bytes are. Small: what a phase needs beside lies elsewhere.
    enum Phase {
        /// None may come before the greeting.
        case silence
        case command
        /// The rest of a command line that was too long, how much of it there was, and whether a CR ends that.
        indirect case overlongLine(Int, endsInReturn: Bool)
        /// A line that answers a challenge.
        indirect case authenticating(Authentication)
        /// What follows DATA, or is in the chunk of BDAT.
        case content
        /// So many bytes of a chunk that is refused; then the refusal.
        indirect case discarding(Int, SMTPServerReply)
        /// None are taken: something is awaited.
        indirect case awaiting(AwaitedStep)
    }

    struct Facts: OptionSet {
        let rawValue: UInt8
        /// The client said EHLO, not HELO.
        static var extended: Facts { Facts(rawValue: 1 << 0) }
        /// The greeting was a refusal: only QUIT is left.
        static var refused: Facts { Facts(rawValue: 1 << 1) }
    }

    /// Since the session began, or the last accepted message. Limits are far below what they hold.
    struct Counts {
        var errors: UInt32 = 0
        var idleCommands: UInt32 = 0
        var messages: UInt32 = 0
        var failedAttempts: UInt16 = 0
    }

    /// What the store says, by the time that ``answered(on:)`` is called.
    final class Verdict: Sendable {
        let result = Mutex<Result<Void, MessageStoreError>?>(nil)
    }

    /// What is awaited, and so what goes on when it is there.
    enum AwaitedStep {
        case decision(Awaited<SMTPDecision>, Step)
        /// A piece of the content, as it was before it went to the file.
        case written(Awaited<ContentFile?>, piece: [UInt8])
        case committed(Verdict, size: Int)
        case credentials(Awaited<SMTPVerifier?>, Authentication)
        case password(Awaited<Bool>, user: String)
    }

    /// What a policy may decide.
    enum Step {
        case connect
        case hello(String, extended: Bool)
        case mail(Envelope)
        case recipient(Envelope.Recipient)
        case message
    }

    public init(_ server: SMTPServer<Store>) {
        self.server = server
        framing = LineFraming(limit: server.limits.commandLine)
    }

    // MARK: Events

    public mutating func connected(on connection: inout Connection) {
        server.counters.sessionBegan()
        decide(.connect, on: &connection)
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
        guard case .awaiting(let step) = phase else { return }
        phase = .command
        switch step {
        case .decision(let awaited, let step): decided(awaited, step, on: &connection)
        case .written(let awaited, let piece): written(awaited.take(), piece, on: &connection)
        case .committed(let verdict, let size): committed(verdict, size, on: &connection)
        case .credentials(let awaited, let exchange): found(awaited.take(), for: exchange, on: &connection)
        case .password(let awaited, let user): checked(awaited.take(), user, on: &connection)
        }
    }

    public mutating func deadlineExpired(on connection: inout Connection) {
        switch phase {
        case .silence: greet(on: &connection)
        case .content, .discarding: close(with: .dataTimeout, on: &connection)
        case .awaiting: close(with: .undecidedInTime, on: &connection)
        default: close(with: transaction?.incoming == nil ? .commandTimeout : .dataTimeout, on: &connection)
        }
    }

    /// Between transactions the session ends at once; within one it ends once the message has had its reply.
    public mutating func stopping(on connection: inout Connection) { closeIfStopping(on: &connection) }

    public mutating func endOfInput(on connection: inout Connection) {
        forget()
        connection.close()
    }

    public mutating func closed(_ reason: CloseReason) {
        server.counters.sessionEnded()
        forget()
    }

    /// What came of a message is not kept while the connection closes.
    private mutating func forget() {
        transaction = nil
        phase = .command
    }

    // MARK: Input

    /// Takes one line, or what there is of a message. Returns how many bytes it used, 0 when it needs more.
    private mutating func take(_ bytes: RawSpan, from offset: Int, on connection: inout Connection) -> Int {
        switch phase {
        case .silence:
            close(with: .spokeTooEarly, on: &connection)
            return bytes.byteCount - offset
        case .command, .authenticating: return takeLine(bytes, from: offset, on: &connection)
        case .overlongLine(let length, let endsInReturn):
            return skipLine(bytes, from: offset, after: length, endsInReturn, on: &connection)
        case .content: return takeContent(bytes, from: offset, on: &connection)
        case .discarding(let left, let reply):
            let used = min(left, bytes.byteCount - offset)
            discard(left - used, then: reply, on: &connection)
            return used
        case .awaiting: return 0
        }
    }

    private mutating func takeLine(_ bytes: RawSpan, from offset: Int, on connection: inout Connection) -> Int {
        do throws(LineFraming.Violation) {
            guard let line = try framing.next(in: bytes, from: offset) else { return 0 }
            takeLine(bytes.slice(line.payload), on: &connection)
            return line.next - offset
        } catch {
            switch error {
            case .tooLong:
                framing = LineFraming(limit: framing.limit)
                return skipLine(bytes, from: offset, after: 0, false, on: &connection)
            case .bareLineBreak(let next):
                if let line = normalized(bytes, offset..<next - 1, on: connection) {
                    takeLine(bytes.slice(line), on: &connection)
                } else {
                    // The session ends: what stands behind may be meant for somebody who reads lines otherwise.
                    refuse(.bareLineBreak, on: &connection)
                }
                return next - offset
            }
        }
    }

    private mutating func takeLine(_ line: RawSpan, on connection: inout Connection) {
        do throws(SMTPServerReply) {
            if case .authenticating(let exchange) = phase {
                phase = .command
                try authenticate(exchange, line, on: &connection)
            } else {
                try execute(line, on: &connection)
            }
        } catch {
            refuse(error, on: &connection)
        }
        switch phase {
        case .command, .authenticating: awaitCommand(on: &connection)
        default: break
        }
    }

    /// A line that ends in a LF alone, from a peer that may send such; nil from others, and if a CR is in it.
    private func normalized(_ bytes: RawSpan, _ line: Range<Int>, on connection: borrowing Connection) -> Range<Int>? {
        guard normalizes(connection.peer), bytes.slice(line).firstIndex(of: UInt8(ascii: "\r")) == nil else { return nil }
        return line
    }

    func normalizes(_ peer: SocketAddress) -> Bool { server.options.normalizing.contains { $0.contains(peer) } }

    /// The refusal of an overlong line is given at its end, so that it answers one command. A bare CR or LF in it ends the
    /// session, as in any line.
    private mutating func skipLine(
        _ bytes: RawSpan, from offset: Int, after length: Int, _ endsInReturn: Bool, on connection: inout Connection
    ) -> Int {
        let lineFeed = bytes.firstIndex(of: UInt8(ascii: "\n"), from: offset)
        let end = lineFeed.map { $0 + 1 } ?? bytes.byteCount
        let reply = tooLongReply
        // A CR belongs to the LF behind it, and may come before that has.
        let carriageReturn = endsInReturn ? offset - 1 : bytes.slice(0..<end).firstIndex(of: UInt8(ascii: "\r"), from: offset)
        phase = .overlongLine(length + end - offset, endsInReturn: carriageReturn == end - 1)
        if carriageReturn.map({ $0 < end - (lineFeed == nil ? 1 : 2) }) ?? (lineFeed != nil && !normalizes(connection.peer)) {
            refuse(.bareLineBreak, on: &connection)
        } else if length + end - offset > server.limits.discardedLine {
            close(with: reply, on: &connection)
        } else if lineFeed != nil {
            phase = .command
            framing = LineFraming(limit: server.limits.commandLine)
            refuse(reply, on: &connection)
            awaitCommand(on: &connection)
        }
        return end - offset
    }

    private var tooLongReply: SMTPServerReply {
        framing.limit == server.limits.commandLine ? .lineTooLong : .authenticationLineTooLong
    }

    // MARK: Replies that end things

    func write(_ reply: SMTPServerReply, on connection: inout Connection) {
        server.counters.count(reply)
        reply.write(to: &connection.output)
    }

    /// Refuses a command or message; too many of these end the session.
    mutating func refuse(_ reply: SMTPServerReply, on connection: inout Connection) {
        log(refused: reply, on: connection)
        counts.errors &+= 1
        if reply.endsSession { return close(with: reply, on: &connection) }
        if counts.errors > server.limits.errors { return close(with: .tooManyErrors, on: &connection) }
        write(reply, on: &connection)
    }

    mutating func close(with reply: SMTPServerReply, on connection: inout Connection) {
        write(reply, on: &connection)
        forget()
        connection.close(.lingering)
    }

    mutating func awaitCommand(on connection: inout Connection) {
        if connection.isClosing { return }
        if let deadline = transaction?.incoming?.deadline {
            setDeadline(server.limits.command, before: deadline, on: &connection)
        } else {
            connection.setDeadline(after: server.limits.command)
        }
        closeIfStopping(on: &connection)
    }

    func setDeadline(_ wait: Duration, before deadline: MonotonicTime, on connection: inout Connection) {
        let left = connection.clock.now.nanoseconds(until: deadline)
        connection.setDeadline(afterNanoseconds: min(left, wait.wholeNanoseconds))
    }

    private mutating func closeIfStopping(on connection: inout Connection) {
        guard connection.isStopping, !connection.isClosing, transaction == nil else { return }
        switch phase {
        case .command, .silence: close(with: .stopping, on: &connection)
        default: break
        }
    }
}
