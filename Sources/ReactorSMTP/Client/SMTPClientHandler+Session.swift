import ConnectionHandling
import ReactorWire

/// What comes before the first message: greeting, EHLO, TLS and authentication.
extension SMTPClientHandler {
    mutating func take(_ reply: SMTPReply, on connection: inout Connection) {
        if reply.code == 421 { return serviceCloses(reply, on: &connection) }
        switch phase {
        case .greeting:
            if reply.code != 220 { return giveUp(report(reply), on: &connection) }
            greet(on: &connection)
        case .ehlo: takeEHLO(reply, on: &connection)
        case .helo:
            if !reply.isPositive { return giveUp(report(reply), on: &connection) }
            begin(on: &connection)
        case .startTLS: takeStartTLS(reply, on: &connection)
        case .authentication: takeAuthentication(reply, on: &connection)
        case .envelope: takeEnvelope(reply, on: &connection)
        case .goAhead: takeGoAhead(reply, on: &connection)
        case .content: answersTooEarly(reply, on: &connection)
        case .verdict, .discarded:
            if !connection.output.isEmpty { return answersTooEarly(reply, on: &connection) }
            takeVerdict(reply, on: &connection)
        case .reset:
            if !reply.isPositive { return giveUp(report(reply), on: &connection) }
            startMessage(on: &connection)
        case .quit: connection.close()
        case .handshake, .over: break
        }
    }

    /// 421 may come at any time (RFC 5321 section 3.8): the server is about to close.
    private mutating func serviceCloses(_ reply: SMTPReply, on connection: inout Connection) {
        if phase == .quit { return connection.close() }
        // The rest of a content must not follow.
        let isSending = phase == .content || phase == .verdict && !connection.output.isEmpty
        giveUp(report(reply), on: &connection, closing: isSending ? .aborting : .flushing)
    }

    // MARK: Hello

    private mutating func greet(on connection: inout Connection) {
        send((options.isLMTP ? "LHLO " : "EHLO ") + hostname, on: &connection)
        phase = .ehlo
    }

    private mutating func takeEHLO(_ reply: SMTPReply, on connection: inout Connection) {
        if reply.isPositive {
            extensions = ServerExtensions(reply)
            begin(on: &connection)
        } else if reply.code / 100 == 5, !options.isLMTP, connection.layer == nil {
            send("HELO \(hostname)", on: &connection)
            phase = .helo
        } else {
            giveUp(report(reply), on: &connection)
        }
    }

    /// The session is there: what stands before messages comes, one after the other.
    private mutating func begin(on connection: inout Connection) {
        if connection.layer != nil { hasSettledTLS = true }
        if !hasSettledTLS { return secure(on: &connection) }
        if let credentials = options.credentials, !isAuthenticated { return authenticate(credentials, on: &connection) }
        startMessage(on: &connection)
    }

    // MARK: TLS

    private mutating func secure(on connection: inout Connection) {
        switch options.tls {
        case .opportunistic where extensions.startTLS, .required where extensions.startTLS:
            send("STARTTLS", on: &connection)
            phase = .startTLS
        case .none, .opportunistic, .implicit:
            hasSettledTLS = true
            begin(on: &connection)
        case .required:
            giveUp(.local(4, 7, 4, "TLS is required, and the next hop does not offer STARTTLS"), on: &connection)
        }
    }

    private mutating func takeStartTLS(_ reply: SMTPReply, on connection: inout Connection) {
        switch options.tls {
        case .opportunistic(let make) where reply.code == 220, .required(let make) where reply.code == 220:
            startTLS(make, on: &connection)
        case .required:
            giveUp(.local(4, 7, 4, "TLS is required, and STARTTLS was answered: \(reply)"), on: &connection)
        case .none, .opportunistic, .implicit:
            hasSettledTLS = true
            begin(on: &connection)
        }
    }

    mutating func startTLS(_ make: () throws -> ConnectionLayer, on connection: inout Connection) {
        // The handshake has a deadline of its own.
        connection.clearDeadline()
        phase = .handshake
        do {
            connection.start(try make())
        } catch {
            trouble = tlsFailed("\(error)")
            connection.close()
        }
    }

    func tlsFailed(_ why: String) -> SMTPClientEnd {
        let report = DeliveryReport.local(4, 7, 5, "TLS failed: \(printable(why.utf8.prefix(512)))")
        if case .opportunistic = options.tls { return .tlsFailed(report) }
        return .unusable(report)
    }

    /// Behind the handshake nothing counts that was said before (RFC 3207 section 4.2).
    mutating func startAgain(on connection: inout Connection) {
        options.transcript?(.note("TLS has begun"))
        let isImplicit = if case .implicit = options.tls { true } else { false }
        extensions = ServerExtensions()
        parser = ReplyParser(limits: limits)
        phase = .greeting
        connection.setDeadline(after: limits.greeting)
        if !isImplicit { greet(on: &connection) }
    }

    // MARK: Authentication

    private mutating func authenticate(_ credentials: SMTPCredentials, on connection: inout Connection) {
        if connection.layer == nil, !options.authenticatesInPlain {
            return giveUp(.local(4, 7, 11, "credentials are sent only over TLS, which is not there"), on: &connection)
        }
        guard let mechanism = ClientAuthentication.best(of: extensions.mechanisms) else {
            return giveUp(.local(4, 7, 4, "the next hop offers no AUTH mechanism that is known here"), on: &connection)
        }
        let begun = ClientAuthentication(mechanism, credentials, iterations: limits.scramIterations)
        authentication = begun
        phase = .authentication
        send(begun.command, shown: "AUTH \(mechanism.rawValue) (masked)", on: &connection)
    }

    private mutating func takeAuthentication(_ reply: SMTPReply, on connection: inout Connection) {
        if reply.code == 334, let step = authentication?.answer(reply.lines.first ?? "") { return take(step, on: &connection) }
        guard reply.code == 235 else { return giveUp(report(reply), on: &connection) }
        guard authentication?.maySucceed == true else {
            return giveUp(.local(4, 7, 0, "the server did not prove that it knows the password"), on: &connection)
        }
        authentication = nil
        isAuthenticated = true
        startMessage(on: &connection)
    }

    private mutating func take(_ step: ClientAuthentication.Step, on connection: inout Connection) {
        switch step {
        case .send(let line): send(line, shown: "(masked)", on: &connection)
        case .fail(let why): giveUp(.local(4, 7, 0, why), on: &connection)
        case .prove(let client, let challenge):
            // Meant to take long: not on a loop's thread.
            proof = connection.perform { try client.proof(for: challenge) }
        }
    }

    mutating func takeProof(on connection: inout Connection) {
        guard let result = proof?.take() else { return }
        proof = nil
        switch result {
        case .success(let proof):
            if let step = authentication?.proved(proof) { take(step, on: &connection) }
        case .failure(let fault): giveUp(.local(4, 7, 0, "SCRAM-SHA-256 failed: \(fault)"), on: &connection)
        }
    }
}
