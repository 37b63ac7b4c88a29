public import ConnectionHandling
public import ReactorWire

/// The part of a server's connection that does not depend on the application: where it stands between reading a
/// request, answering it, and waiting for the next one.
@usableFromInline struct HTTPServerConnection: ~Copyable {
    private var reader: RequestReader
    @usableFromInline private(set) var exchange = Exchange()

    @usableFromInline init(limits: HTTPLimits) { reader = RequestReader(limits: limits) }

    /// A request is being answered.
    @usableFromInline var hasExchange: Bool { exchange.progress != .none }

    /// Whether the next request can be read. Requests are answered one by one, in their order.
    @usableFromInline func isReady(_ connection: borrowing Connection) -> Bool {
        !hasExchange && !connection.isClosing && !connection.isAwaiting && !connection.isBackedUp
    }

    /// Reads on, and refuses what breaks the protocol.
    @usableFromInline mutating func next(
        in bytes: RawSpan, from used: inout Int, into head: inout RequestHead, on connection: inout Connection
    ) -> RequestReader.Found {
        do throws(HTTPViolation) {
            let found = try reader.next(in: bytes, from: &used, into: &head, on: &connection)
            if case .nothing = found { return found }
            exchange = Exchange(head)
            return found
        } catch {
            refuse(error.status, on: &connection)
            return .nothing
        }
    }

    @usableFromInline mutating func takeCollected() -> ByteQueue { reader.takeCollected() }

    /// What follows when the application returns: the next request, the end, or more of this answer later.
    @usableFromInline mutating func settle(_ response: consuming ResponseWriter) -> Connection {
        exchange = response.exchange
        var connection = response.intoConnection()
        if exchange.progress == .ended {
            finish(on: &connection)
        } else if connection.isAwaiting {
            connection.setDeadline(afterNanoseconds: reader.limits.answerTime)
        } else if exchange.progress == .body && connection.isBackedUp {
            // The driver's write limit counts now.
            connection.clearDeadline()
        } else if exchange.progress == .open {
            refuse(.internalServerError, on: &connection)
        } else {
            // The application forgot the rest of its answer: no one would ever complete it.
            connection.close(.aborting)
        }
        return connection
    }

    private mutating func finish(on connection: inout Connection) {
        if !exchange.keepsAlive || connection.isStopping {
            // A peer that did not ask for the end may have requests on their way, and a reset would cost it the answer.
            connection.close(exchange.peerCloses ? .flushing : .lingering)
        }
        exchange = Exchange()
    }

    /// Answers with a status alone, and ends the connection.
    private mutating func refuse(_ status: HTTPStatus, on connection: inout Connection) {
        var refusal = hasExchange ? exchange : Exchange(refusingHEAD: reader.isHEAD)
        refusal.endConnection()
        refusal.writeStatus(status, on: &connection)
        refusal.writeStatusText(status, on: &connection)
        connection.close(.lingering)
        exchange = Exchange()
    }

    // MARK: Time

    /// Sets the deadline for the next request, unless one has begun or is being answered.
    @usableFromInline mutating func waitForRequest(on connection: inout Connection) {
        guard reader.isIdle, !hasExchange, !connection.isClosing else { return }
        // The peer has yet to take the answers: the driver's write limit counts until it has.
        if connection.isBackedUp { return connection.clearDeadline() }
        connection.setDeadline(afterNanoseconds: reader.limits.keepAliveTime)
    }

    @usableFromInline mutating func deadlineExpired(on connection: inout Connection) {
        if hasExchange {
            // What has begun cannot be taken back, only cut off.
            if exchange.progress != .open { return connection.close(.aborting) }
            refuse(.serviceUnavailable, on: &connection)
        } else if reader.isIdle {
            connection.close()
        } else {
            refuse(.requestTimeout, on: &connection)
        }
    }

    @usableFromInline mutating func stopping(on connection: inout Connection) {
        if reader.isIdle && !hasExchange { connection.close() }
    }
}
