import ConnectionHandling
import ReactorWire

/// One message after another: envelope, content, verdict.
extension SMTPClientHandler {
    mutating func startMessage(on connection: inout Connection) {
        // A loop: messages that cannot be sent at all are told so at once.
        while !connection.isStopping, let message = source.nextMessage() {
            var next = Delivery(message, extensions)
            next.check()
            if next.isDecided {
                source.attempted(message, next.outcomes.compactMap(\.self))
                continue
            }
            let written = connection.output.count
            next.writeMail(to: &connection.output)
            showOutput(behind: written, of: connection)
            delivery = next
            phase = .envelope
            messageEnd = connection.clock.now.advanced(by: limits.message)
            return wait(limits.command, on: &connection)
        }
        quit(on: &connection)
    }

    mutating func takeEnvelope(_ reply: SMTPReply, on connection: inout Connection) {
        guard delivery?.take(reply, from: remote) == true, let answered = delivery?.answered else {
            return giveUp(.local(4, 5, 0, "unexpected answer to MAIL or RCPT: \(reply)"), on: &connection)
        }
        if answered == 1 { source.nextHopWorks() }
        wait(limits.command, on: &connection)
        if delivery?.awaitsReply == true { return }
        let hasSentData = delivery?.hasSentData == true
        if delivery?.isDecided == true {
            finish(Self.notReached)
            if !hasSentData { return reset(on: &connection) }
        }
        if hasSentData {
            wait(limits.dataInitiation, on: &connection)
            phase = .goAhead
        } else {
            writeNext(on: &connection)
        }
    }

    /// Of recipients who have an outcome already.
    private static var notReached: DeliveryOutcome { .deferred(.local(4, 4, 2, "not reached")) }

    /// The next RCPT; or, behind the last, what brings the content.
    private mutating func writeNext(on connection: inout Connection) {
        let written = connection.output.count
        if delivery?.writeNext(to: &connection.output) == true { return showOutput(behind: written, of: connection) }
        if delivery?.isBinary == true { return writeBDAT(on: &connection) }
        send("DATA", on: &connection)
        wait(limits.dataInitiation, on: &connection)
        phase = .goAhead
    }

    mutating func takeGoAhead(_ reply: SMTPReply, on connection: inout Connection) {
        if reply.code == 354 {
            guard let size = delivery?.message.content.size else { return writeNothing(on: &connection) }
            options.transcript?(.note("content of \(size) bytes"))
            encoder = ContentEncoder(.data, size: size)
            writeContent(on: &connection)
        } else if let outcome = DeliveryOutcome(refusal: reply, from: remote) {
            finish(outcome)
            reset(on: &connection)
        } else {
            giveUp(.local(4, 5, 0, "unexpected answer to DATA: \(reply)"), on: &connection)
        }
    }

    /// The server takes a content although it has accepted nobody, as it may where DATA came in one group with the rest:
    /// RFC 2920 section 3.1 has it sent an empty one.
    private mutating func writeNothing(on connection: inout Connection) {
        send(".", on: &connection)
        connection.setDeadline(after: limits.dataTermination)
        phase = .discarded
    }

    /// All in one chunk (decision 0026).
    private mutating func writeBDAT(on connection: inout Connection) {
        guard let size = delivery?.message.content.size else { return }
        send("BDAT \(size) LAST", on: &connection)
        encoder = ContentEncoder(.bdat, size: size)
        writeContent(on: &connection)
    }

    mutating func writeContent(on connection: inout Connection) {
        guard let content = delivery?.message.content else { return }
        phase = .content
        var room: [UInt8] = []
        do throws(ContentFileError) {
            while !encoder.isDone, !connection.isBackedUp { try encoder.writePiece(of: content, by: &room, to: &connection.output) }
        } catch {
            return giveUp(.local(4, 3, 0, "the message cannot be read: \(error)"), on: &connection, closing: .aborting)
        }
        if !encoder.isDone { return wait(limits.dataBlock, on: &connection) }
        phase = .verdict
        // Not the message's own time: to give up now is to send it twice.
        connection.setDeadline(after: limits.dataTermination)
    }

    mutating func takeVerdict(_ reply: SMTPReply, on connection: inout Connection) {
        guard var outcome = reply.isPositive ? .delivered(report(reply)) : DeliveryOutcome(refusal: reply, from: remote) else {
            return giveUp(.local(4, 5, 0, "unexpected answer to the content: \(reply)"), on: &connection)
        }
        if case .delivered(var report) = outcome {
            report.notifiesOnward = extensions.dsn
            outcome = .delivered(report)
        }
        if options.isLMTP, delivery != nil {
            delivery?.take(verdict: outcome)
            if delivery?.awaitsVerdict == true { return connection.setDeadline(after: limits.dataTermination) }
        }
        finish(outcome)
        startMessage(on: &connection)
    }

    /// A reply to a content that was not written to its end is about something else, even if it is positive; and what
    /// follows is out of step.
    mutating func answersTooEarly(_ reply: SMTPReply, on connection: inout Connection) {
        // What is left of the content must not follow.
        giveUp(.local(4, 5, 0, "answered before the end of the content: \(reply)"), on: &connection, closing: .aborting)
    }

    private mutating func reset(on connection: inout Connection) {
        send("RSET", on: &connection)
        phase = .reset
    }
}
