import ArgumentParser
import Foundation
import Glibc
import ReactorMailClient
import ReactorNames
import ReactorSMTP
import ReactorTLS
import ReactorWire

struct MailSend: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send a message to a mail server.",
        discussion: """
            The message, header and body, is read from a file, or from the standard input. Its lines may end in LF or in
            CRLF. Date and Message-ID are added where they are missing.

            Recipients who do not get it are named on the standard error, one a line, with what the server said.

            Exit status:
              0   everybody has been delivered to: the server has taken responsibility
              64  the arguments are not what they must be (EX_USAGE)
              65  the message is refused for what it is, or is none (EX_DATAERR)
              66  the message, or the password, cannot be read (EX_NOINPUT)
              67  a recipient or the sender is refused as an address (EX_NOUSER)
              68  there is no such server (EX_NOHOST)
              69  the server refuses for good, for another reason (EX_UNAVAILABLE)
              74  a temporary file cannot be written (EX_IOERR)
              75  nothing was refused for good, but somebody has not been delivered to: try
                  again later (EX_TEMPFAIL); those who were not named have the message
              77  the server refuses the user or password (EX_NOPERM)

            Try it:
              reactor mail send --from me@example.org --to you@example.net message.txt
              reactor mail send --from me@example.org --read-recipients --server mail.example.org:587 \\
                --tls required --user me --password-file secret < message.txt
            """)

    @Argument(help: ArgumentHelp("The message; - for the standard input.", valueName: "file"))
    var file = "-"

    @Option(help: ArgumentHelp("Whom failures are reported to; '' for nobody.", valueName: "address"))
    var from: String

    @Option(help: ArgumentHelp("A recipient. May be repeated.", valueName: "address"))
    var to: [String] = []

    @Flag(help: "Take recipients from the header too: To, Cc and Bcc. Bcc is removed.")
    var readRecipients = false

    @OptionGroup var server: MailServerArguments
    @OptionGroup var notifications: NotificationArguments

    func validate() throws {
        if to.isEmpty && !readRecipients { throw ValidationError("give a recipient with --to, or --read-recipients") }
        guard [UInt8](from.utf8).allSatisfy({ $0 > 32 && $0 != 127 }), to.allSatisfy({ !$0.isEmpty }) else {
            throw ValidationError("an address is written as name@example.org")
        }
    }

    func run() throws {
        let prepared = try prepare()
        let recipients = to + prepared.recipients.filter { !to.contains($0) }
        if recipients.isEmpty { throw fail(EX_DATAERR, "the header names no recipients") }
        var mail = OutgoingMail(from: from, to: recipients, content: prepared.content)
        notifications.apply(to: &mail)
        let client = try makeClient()
        let receipt: MailReceipt
        do throws(SendMailError) {
            receipt = try client.sendBlocking(mail, resolver: try blockingResolver())
        } catch {
            throw fail(error.exitCode, "\(error)")
        }
        try tell(receipt)
    }

    private func makeClient() throws -> SMTPClient {
        let credentials = try server.credentials()
        do throws(TLSConfigurationError) {
            var made = try server.make()
            made.credentials = credentials
            return try SMTPClient(made)
        } catch {
            throw fail(EX_USAGE, "\(error)")
        }
    }

    private func blockingResolver() throws(SendMailError) -> BlockingResolver {
        do { return try BlockingResolver() } catch { throw .notConnected(error) }
    }

    /// Says on the standard error who does not get it, and why.
    private func tell(_ receipt: MailReceipt) throws {
        var status = EX_OK
        for recipient in receipt.recipients where !recipient.outcome.isDelivered {
            let report = recipient.outcome.report
            let isForGood = if case .failed = recipient.outcome { true } else { false }
            printError(
                "reactor: \(printable(recipient.address)): \(isForGood ? "refused" : "not now") "
                    + "(\(report.status)): \(report.remote.map { "\($0) said: " } ?? "")\(report.text)")
            let code = isForGood ? report.status.exitCode : EX_TEMPFAIL
            if status == EX_OK || status == EX_TEMPFAIL { status = code }
        }
        if status != EX_OK { throw ExitCode(status) }
    }

    // MARK: The message

    private func prepare() throws -> MailPreparation.Prepared {
        let descriptor = file == "-" ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { throw fail(EX_NOINPUT, "cannot read \(file): \(String(cString: strerror(errno)))") }
        defer { if descriptor != STDIN_FILENO { close(descriptor) } }
        var preparation = MailPreparation(
            readingRecipients: readRecipients, hostname: HostName.ofThisMachine, unixSeconds: Int64(time(nil)),
            directory: FileManager.default.temporaryDirectory.path)
        var room = [UInt8](repeating: 0, count: 64 * 1024)
        do throws(MailPreparationError) {
            while true {
                let count = read(descriptor, &room, room.count)
                if count < 0, errno == EINTR { continue }
                if count < 0 { break }
                if count == 0 { return try preparation.finish() }
                try preparation.add(room.span.bytes.extracting(first: count))
            }
        } catch {
            if case .file = error { throw fail(EX_IOERR, "\(error)") }
            throw fail(EX_DATAERR, "\(error)")
        }
        throw fail(EX_NOINPUT, "cannot read \(file): \(String(cString: strerror(errno)))")
    }
}

/// Says why, for a status that is thrown.
func fail(_ status: Int32, _ why: String) -> ExitCode {
    printError("reactor: \(why)")
    return ExitCode(status)
}

/// What the sender wants to hear of the message later (RFC 3461).
struct NotificationArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Ask for notices: never, or some of success, failure, delay, with commas.", valueName: "when"))
    var dsnNotify: String?

    @Option(help: ArgumentHelp("What a notice returns of the message: full or headers.", valueName: "part"))
    var dsnReturn: String?

    @Option(help: ArgumentHelp("A name for the message that notices repeat: printable ASCII.", valueName: "text"))
    var dsnId: String?

    func validate() throws {
        if dsnNotify != nil, notify == nil { throw ValidationError("--dsn-notify is never, or some of success, failure, delay") }
        if dsnReturn != nil, returnContent == nil { throw ValidationError("--dsn-return is full or headers") }
        if let dsnId, encodedID == nil { throw ValidationError("--dsn-id '\(dsnId)' is not up to 100 printable ASCII characters") }
    }

    func apply(to mail: inout OutgoingMail) {
        mail.returnContent = returnContent
        mail.envelopeID = encodedID
        for index in mail.recipients.indices { mail.recipients[index].notify = notify }
    }

    private var returnContent: Envelope.ReturnContent? {
        switch dsnReturn {
        case "full": .full
        case "headers": .headers
        default: nil
        }
    }

    private var notify: Envelope.Notify? {
        guard let dsnNotify else { return nil }
        if dsnNotify == "never" { return .never }
        var notify: Envelope.Notify = []
        for word in dsnNotify.split(separator: ",", omittingEmptySubsequences: false) {
            switch word {
            case "success": notify.insert(.success)
            case "failure": notify.insert(.failure)
            case "delay": notify.insert(.delay)
            default: return nil
            }
        }
        return notify
    }

    /// In xtext (RFC 3461 section 4).
    private var encodedID: String? {
        guard let dsnId, !dsnId.isEmpty, dsnId.utf8.allSatisfy({ (32...126).contains($0) }) else { return nil }
        let text = dsnId.utf8.map { byte in
            let isPlain = byte > 32 && byte != UInt8(ascii: "+") && byte != UInt8(ascii: "=")
            return isPlain ? String(UnicodeScalar(byte)) : "+" + String(byte, radix: 16, uppercase: true)
        }.joined()
        return text.utf8.count <= 100 ? text : nil
    }
}

extension EnhancedStatusCode {
    /// The status of sysexits.h for a refusal for good.
    var exitCode: Int32 {
        switch (subject, detail) {
        case (1, 1...8): EX_NOUSER
        case (6, _): EX_DATAERR
        case (7, 8): EX_NOPERM
        default: EX_UNAVAILABLE
        }
    }
}

extension SendMailError {
    var exitCode: Int32 {
        switch self {
        case .unreadable: EX_NOINPUT
        case .notConnected, .loopStopped: EX_TEMPFAIL
        case .noService(let report): report.status.kind == 5 ? report.status.exitCode : EX_TEMPFAIL
        case .unreachable(let error): error.isNameUnknown ? EX_NOHOST : EX_TEMPFAIL
        }
    }
}

extension ConnectByNameError {
    /// There is no such name, or it has no address: it may come to be, but not soon.
    fileprivate var isNameUnknown: Bool {
        guard attempts.isEmpty, untried == 0, !ranOutOfTime else { return false }
        return [ipv4Failure, ipv6Failure].allSatisfy { failure in
            switch failure {
            case nil, .nameDoesNotExist, .noData, .invalidName: true
            default: false
            }
        }
    }
}
