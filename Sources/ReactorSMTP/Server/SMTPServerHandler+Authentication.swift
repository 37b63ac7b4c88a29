import ConnectionHandling
import Logging
import ReactorWire

/// What the client's next line answers (RFC 4954).
enum Authentication {
    case plain
    case loginName
    case loginPassword(user: String)
    case scramFirst
    case scramFinal(SCRAMServer)
    /// The client has seen the server's proof, and has nothing to say to it.
    case scramEnd(user: String)
    /// The password is there: whose keys are looked up.
    case password(String, user: String)
    /// So is the first message of SCRAM.
    case scramUser(SCRAMServer.ClientFirst)
}

extension SMTPServerHandler {
    func mayAuthenticate(on connection: borrowing Connection) -> Bool {
        connection.layer != nil || server.options.authenticatesInPlain
    }

    mutating func startAuthentication(_ argument: RawSpan, on connection: inout Connection) throws(SMTPServerReply) {
        guard let authenticator = server.options.authenticator else { throw .unimplemented }
        if !facts.contains(.extended) || hello.isEmpty { throw .helloFirst }
        if user != nil { throw .alreadyAuthenticated }
        if transaction != nil { throw .authenticationInTransaction }
        guard mayAuthenticate(on: connection) else { throw .encryptionFirst }
        var words = ArgumentWords(argument)
        guard let word = words.next() else { throw .argumentExpected }
        let initial = words.next()
        if words.next() != nil { throw .badParameter }
        guard let mechanism = SMTPMechanism(rawValue: argument.slice(word).text.uppercased()),
            authenticator.mechanisms.contains(mechanism)
        else { throw .unknownMechanism }
        let peer = connection.peer
        if !server.relay.allows(peer), !server.rates.allowsAttempt(from: peer, at: connection.clock.now) { throw .tooMuchAuthentication }
        let exchange: Authentication =
            switch mechanism {
            case .plain: .plain
            case .login: .loginName
            case .scramSHA256: .scramFirst
            }
        guard let initial else {
            let prompt = mechanism == .login ? "Username:" : ""
            return challenge(prompt, exchange, on: &connection)
        }
        // An empty response is written so (RFC 4954 section 4).
        let response = argument.slice(initial)
        try goOn(exchange, response.equals("=") ? [] : decode(response), on: &connection)
    }

    /// A line that answers a challenge. If nothing else comes of it the exchange is over.
    mutating func authenticate(_ exchange: Authentication, _ line: RawSpan, on connection: inout Connection) throws(SMTPServerReply) {
        framing = LineFraming(limit: server.limits.commandLine)
        if line.equals("*") { throw .authenticationCancelled }
        try goOn(exchange, decode(line), on: &connection)
    }

    private func decode(_ text: RawSpan) throws(SMTPServerReply) -> [UInt8] {
        guard let bytes = Base64.decode(text) else { throw .badBase64 }
        return bytes
    }

    private mutating func challenge(_ text: String, _ next: Authentication, on connection: inout Connection) {
        connection.write("334 \(Base64.encode(Array(text.utf8)))\r\n" as String)
        framing = LineFraming(limit: server.limits.authenticationLine)
        phase = .authenticating(next)
    }

    private mutating func goOn(
        _ exchange: Authentication, _ message: [UInt8], on connection: inout Connection
    ) throws(SMTPServerReply) {
        switch exchange {
        case .plain:
            guard let message = PlainMessage(message) else { return fail(nil, on: &connection) }
            lookUp(message.user, .password(message.password, user: message.user), on: &connection)
        case .loginName:
            guard let user = UserName.parse(message) else { return fail(nil, on: &connection) }
            challenge("Password:", .loginPassword(user: user), on: &connection)
        case .loginPassword(let user):
            guard let password = Self.word(message) else { return fail(user, on: &connection) }
            lookUp(user, .password(password, user: user), on: &connection)
        case .scramFirst:
            guard let first = SCRAMServer.ClientFirst(message) else { return fail(nil, on: &connection) }
            lookUp(first.user, .scramUser(first), on: &connection)
        case .scramFinal(let scram):
            guard let proof = scram.verify(message) else { return fail(scram.first.user, on: &connection) }
            challenge(proof, .scramEnd(user: scram.first.user), on: &connection)
        case .scramEnd(let user):
            if !message.isEmpty { return fail(user, on: &connection) }
            succeed(user, on: &connection)
        case .password, .scramUser: break
        }
    }

    private static func word(_ message: [UInt8]) -> String? {
        guard !message.isEmpty, !message.contains(0) else { return nil }
        return String(validating: message, as: UTF8.self)
    }

    // MARK: Asking the authenticator

    private mutating func lookUp(_ user: String, _ next: Authentication, on connection: inout Connection) {
        guard let authenticator = server.options.authenticator else { return }
        connection.setDeadline(after: server.limits.decision)
        phase = .awaiting(.credentials(connection.await { try await authenticator.verifier(of: user) }, next))
    }

    mutating func found(
        _ result: Result<SMTPVerifier?, any Error>?, for exchange: Authentication, on connection: inout Connection
    ) {
        guard case .success(let known) = result else { return unavailable(result, on: &connection) }
        switch exchange {
        case .scramUser(let first):
            var keys = decoy(for: first.user)
            if case .keys(let known) = known { keys = known }
            let scram = SCRAMServer(first, keys: keys)
            challenge(scram.challenge, .scramFinal(scram), on: &connection)
        case .password(let password, let user):
            let awaited: Awaited<Bool>
            switch known ?? .keys(decoy(for: user)) {
            // It takes milliseconds, for somebody who is not there as for one who is.
            case .keys(let keys): awaited = connection.perform { keys.match(password) }
            case .password(let isRight): awaited = connection.await { try await isRight(password) }
            }
            phase = .awaiting(.password(awaited, user: user))
            return
        default: break
        }
        awaitCommand(on: &connection)
    }

    /// Keys of somebody who is not there.
    private func decoy(for user: String) -> SCRAMKeys {
        let iterations = server.options.authenticator?.iterations ?? SCRAMKeys.defaultIterations
        return SCRAMKeys(decoyFor: user, secret: server.decoySecret, iterations: iterations)
    }

    mutating func checked(_ result: Result<Bool, any Error>?, _ user: String, on connection: inout Connection) {
        switch result {
        case .success(true): succeed(user, on: &connection)
        case .success(false): fail(user, on: &connection)
        default: return unavailable(result, on: &connection)
        }
        awaitCommand(on: &connection)
    }

    private mutating func succeed(_ user: String, on connection: inout Connection) {
        self.user = user
        counts.failedAttempts = 0
        let peer = connection.peer
        server.logger.info("authenticated", metadata: ["user": "\(user)", "peer": "\(peer)"])
        write(.authenticated, on: &connection)
    }

    private mutating func fail(_ user: String?, on connection: inout Connection) {
        counts.failedAttempts &+= 1
        let peer = connection.peer
        server.logger.notice("not authenticated", metadata: ["user": "\(user ?? "")", "peer": "\(peer)"])
        refuse(counts.failedAttempts > server.limits.authenticationFailures ? .tooManyAttempts : .badCredentials, on: &connection)
    }

    /// Not the client's fault.
    private mutating func unavailable<Value>(_ result: Result<Value, any Error>?, on connection: inout Connection) {
        if case .failure(let error) = result {
            server.logger.error("authentication failed", metadata: ["error": "\(error)"])
        }
        write(.authenticationUnavailable, on: &connection)
        awaitCommand(on: &connection)
    }
}
