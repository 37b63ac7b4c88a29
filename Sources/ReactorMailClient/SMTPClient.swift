import ConnectionHandling
public import Reactor
public import ReactorNames
import ReactorSMTP
public import ReactorTLS
import ServerArchitectures

/// Sends messages to one server, each over a connection of its own: on a loop, with a callback or `async`, or on the calling
/// thread.
///
/// ```swift
/// let client = try SMTPClient(MailServer(host: "mail.example.org", port: 587))
/// let receipt = try await client.send(mail, on: loop.handle)
/// for recipient in receipt.recipients where !recipient.outcome.isDelivered { print(recipient.address, recipient.outcome) }
/// ```
///
/// Who has many messages to send, or to many servers, gives ``SMTPClientHandler`` a source of them.
public struct SMTPClient: Sendable {
    private let server: MailServer
    private let tls: TLSClientContext?

    /// - Throws: ``TLSConfigurationError`` if the system's trust store cannot be read, or no certificate can be for the
    ///   server's name.
    public init(_ server: MailServer) throws(TLSConfigurationError) {
        self.server = server
        if server.protection == .none {
            tls = nil
            return
        }
        var configuration = TLSClientConfiguration()
        configuration.acceptsAnyCertificate = server.protection == .opportunistic
        let context = if let given = server.tls { given } else { try TLSClientContext(configuration) }
        _ = try context.makeSession(serverName: server.name)
        tls = context
    }

    // MARK: Sending

    /// Sends the message, over a loop's connection.
    ///
    /// - Parameter then: told once, on the loop's thread.
    public func send(
        _ mail: OutgoingMail, on loop: EventLoop, resolver: Resolver,
        then: @escaping (Result<MailReceipt, SendMailError>) -> Void
    ) {
        do throws(ContentFileError) {
            attempt(MailSource(mail.recipients.map(\.address), try mail.message()), withTLS: true, loop, resolver, then)
        } catch {
            then(.failure(.unreadable(error)))
        }
    }

    /// Sends the message, over a connection of the loop that the handle is of; called from any task. Its cancellation does not
    /// take the message back.
    public func send(
        _ mail: OutgoingMail, on handle: EventLoopHandle, resolving options: ResolverOptions = ResolverOptions()
    ) async throws(SendMailError) -> MailReceipt {
        let result: Result<MailReceipt, SendMailError> = await withCheckedContinuation { continuation in
            do throws(EventLoopStopped) {
                try handle.submit { loop in
                    let answer = Answer(continuation)
                    do throws(SystemError) {
                        let resolver = try Resolver(loop: loop, options: options)
                        send(mail, on: loop, resolver: resolver) { result in
                            resolver.close()
                            answer.give(result)
                        }
                    } catch {
                        answer.give(.failure(.notConnected(error)))
                    }
                }
            } catch {
                continuation.resume(returning: .failure(.loopStopped))
            }
        }
        return try result.get()
    }

    /// Sends the message, and returns when it is known what became of it. Blocks.
    public func sendBlocking(_ mail: OutgoingMail, resolver: BlockingResolver) throws(SendMailError) -> MailReceipt {
        let source: MailSource
        do throws(ContentFileError) { source = MailSource(mail.recipients.map(\.address), try mail.message()) } catch {
            throw .unreadable(error)
        }
        try serve(source, withTLS: true, resolver)
        if case .tlsFailed = source.end { try serve(source, withTLS: false, resolver) }
        return try source.result.get()
    }

    // MARK: One connection

    private func attempt(
        _ source: MailSource, withTLS: Bool, _ loop: EventLoop, _ resolver: Resolver,
        _ then: @escaping (Result<MailReceipt, SendMailError>) -> Void
    ) {
        source.onEnd = {
            if withTLS, case .tlsFailed = source.end { return attempt(source, withTLS: false, loop, resolver, then) }
            then(source.result)
        }
        let makeHandler = { handler(source, withTLS) }
        switch server.place {
        case .host(let host, let port):
            loop.connect(
                toHost: host, port: port, resolver: resolver, limits: connectionLimits,
                onFailure: { source.abandon(.unreachable($0)) }, makeHandler: makeHandler)
        case .address(let address):
            loop.connect(
                to: address, limits: connectionLimits, onFailure: { source.abandon(.notConnected($0)) }, makeHandler: makeHandler)
        }
    }

    private func serve(_ source: MailSource, withTLS: Bool, _ resolver: BlockingResolver) throws(SendMailError) {
        switch server.place {
        case .host(let host, let port):
            do throws(ConnectByNameError) {
                var client = try BlockingClient(
                    connectingToHost: host, port: port, resolver: resolver, limits: connectionLimits,
                    makeHandler: { handler(source, withTLS) })
                _ = client.serve()
            } catch {
                throw .unreachable(error)
            }
        case .address(let address):
            do throws(SystemError) {
                var client = try BlockingClient(
                    connectingTo: address, limits: connectionLimits, makeHandler: { handler(source, withTLS) })
                _ = client.serve()
            } catch {
                throw .notConnected(error)
            }
        }
    }

    private func handler(_ source: MailSource, _ withTLS: Bool) -> SMTPClientHandler<MailSource> {
        var options = SMTPClientOptions()
        options.tls = withTLS ? policy : .none
        options.credentials = server.credentials
        options.authenticatesInPlain = server.authenticatesInPlain
        options.isLMTP = server.isLMTP
        if case .host(let host, _) = server.place { options.remoteName = host }
        options.transcript = server.transcript
        return SMTPClientHandler(hostname: server.hostname, source: source, options: options, limits: server.limits)
    }

    private var policy: SMTPClientOptions.TLS {
        guard let tls else { return .none }
        let name = server.name
        let make: @Sendable () throws -> ConnectionLayer = { try tls.makeSession(serverName: name) }
        switch server.protection {
        case .none: return .none
        case .opportunistic: return .opportunistic(make)
        case .required: return .required(make)
        case .implicit: return .implicit(make)
        }
    }

    private var connectionLimits: ConnectionLimits {
        var limits = ConnectionLimits.default
        // RFC 5321 section 4.5.3.2.5: a peer that takes nothing is waited for as long as one that takes little.
        limits.writeStall = server.limits.dataBlock
        return limits
    }
}

/// Answers once: with the loop's end, if it goes before there is anything else to say.
private final class Answer {
    private var continuation: CheckedContinuation<Result<MailReceipt, SendMailError>, Never>?

    init(_ continuation: CheckedContinuation<Result<MailReceipt, SendMailError>, Never>) { self.continuation = continuation }

    func give(_ result: Result<MailReceipt, SendMailError>) { continuation.take()?.resume(returning: result) }

    deinit { continuation?.resume(returning: .failure(.loopStopped)) }
}
