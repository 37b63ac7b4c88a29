import ArgumentParser
import ConnectionHandling
import Glibc
import ReactorMailClient
import ReactorNames
import ReactorSMTP
import ReactorTLS

/// The server that mail is sent to, and how.
struct MailServerArguments: ParsableArguments {
    enum Security: String, ExpressibleByArgument, CaseIterable { case none, opportunistic, required, implicit }

    @Option(
        help: ArgumentHelp(
            """
            A host with or without :PORT, an address ([2001:db8::1]:25), or unix:PATH. The port is 25; with --tls implicit \
            465, with --lmtp 24.
            """, valueName: "host:port"))
    var server = "localhost"

    @Option(
        help: ArgumentHelp(
            """
            none; opportunistic: STARTTLS if that is offered, with any certificate, but as required with --user; required: \
            STARTTLS with a certificate that is trusted; implicit: TLS from the first byte.
            """, valueName: "how"))
    var tls = Security.opportunistic

    @Option(help: ArgumentHelp("Trust these authorities instead of the system's: PEM.", valueName: "file"))
    var tlsCa: String?

    @Option(help: ArgumentHelp("Authenticate as this user, over TLS only.", valueName: "name"))
    var user: String?

    @Option(help: ArgumentHelp("The file whose first line is the user's password.", valueName: "file"))
    var passwordFile: String?

    @Flag(help: "Authenticate without TLS too, where anybody on the way can read a password.")
    var authInPlain = false

    @Flag(help: "Speak LMTP (RFC 2033).")
    var lmtp = false

    @Flag(help: "Show the dialogue on the standard error, with credentials masked.")
    var verbose = false

    func validate() throws {
        if (user == nil) != (passwordFile == nil) { throw ValidationError("--user and --password-file go together") }
        if tlsCa != nil, tls == .none || tls == .opportunistic && (user == nil || authInPlain) {
            throw ValidationError("--tls-ca needs --tls required or implicit: otherwise any certificate is taken")
        }
        _ = try place()
    }

    func make() throws(TLSConfigurationError) -> MailServer {
        var made = MailServer(host: "localhost")
        if let place = try? place() { made.place = place }
        made.security = security
        if let tlsCa {
            var configuration = TLSClientConfiguration()
            configuration.trust = .authorities(.file(tlsCa))
            made.tls = try TLSClientContext(configuration)
        }
        made.authenticatesInPlain = authInPlain
        made.isLMTP = lmtp
        made.hostname = HostName.ofThisMachine
        if verbose { made.transcript = show }
        return made
    }

    /// - Throws: ``ExitCode``, once it was said that the file cannot be read.
    func credentials() throws -> SMTPCredentials? {
        guard let user, let passwordFile else { return nil }
        guard let file = fopen(passwordFile, "re") else {
            throw fail(EX_NOINPUT, "cannot read \(passwordFile): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        // No password is as long.
        var room = [CChar](repeating: 0, count: 4096)
        _ = fgets(&room, CInt(room.count), file)
        let line = room.prefix { $0 != 0 && $0 != 10 && $0 != 13 }.map(UInt8.init(bitPattern:))
        guard !line.isEmpty, let password = String(validating: line, as: UTF8.self) else {
            throw fail(EX_NOINPUT, "\(passwordFile) does not begin with a password")
        }
        return SMTPCredentials(user: user, password: password)
    }

    private var security: MailServer.Security {
        switch tls {
        case .none: .none
        case .opportunistic: .opportunistic
        case .required: .required
        case .implicit: .implicit
        }
    }

    private var defaultPort: UInt16 { lmtp ? 24 : tls == .implicit ? 465 : 25 }

    private func place() throws -> MailServer.Place {
        if server.hasPrefix("unix:") { return .address(try SocketAddress(parsing: server)) }
        if server.hasPrefix("[") {
            let text = server.hasSuffix("]") ? "\(server):\(defaultPort)" : server
            return .address(try SocketAddress(parsing: text))
        }
        let parts = server.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, !parts[0].isEmpty else {
            throw ValidationError("'\(server)' is no server: write mail.example.org, mail.example.org:587 or [2001:db8::1]:25")
        }
        let port = parts.count == 2 ? try ServicePort(String(parts[1])) : ServicePort(defaultPort)
        return .host(String(parts[0]), port)
    }
}

private let show: @Sendable (SMTPTranscriptLine) -> Void = { line in
    switch line {
    case .sent(let text): printError("> \(printable(text))")
    case .received(let text): printError("< \(printable(text))")
    case .note(let text): printError("* \(printable(text))")
    }
}
