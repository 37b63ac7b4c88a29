import ArgumentParser
import ConnectionHandling
import Logging
import ReactorSMTP
import ServerArchitectures

struct ServeSink: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sink",
        abstract: "A mail server that takes every message from this machine, and keeps none.",
        discussion: """
            For tests of what sends mail, and to measure SMTP without a disk: a message is acknowledged once it is whole, as
            a relay's is, and then dropped.

            Try it:
              reactor serve sink --listen 127.0.0.1:2525 --print
              printf 'Subject: hello\\r\\n\\r\\nIt works.\\r\\n' | curl smtp://127.0.0.1:2525 \\
                --mail-from you@example.org --mail-rcpt me@example.org --upload-file -
            """)

    @OptionGroup var server: ServerArguments
    @OptionGroup var tls: TLSArguments

    @Flag(help: "Say of each message how large it is, who sent it and for whom.")
    var print = false

    func run() throws {
        let targets = try server.streams(for: "serve sink", under: tls.context())
        try Service.run(targets.map { mailSink($0, tells: self.print) }, server.options)
    }
}

/// Takes every message for anybody on this machine, says so if it `tells`, and keeps nothing.
func mailSink(_ target: ListenTarget, tells: Bool) -> Service {
    let store = !tells ? DiscardingStore() : DiscardingStore { envelope, content in
        let recipients = envelope.recipients.map(\.address).joined(separator: ", ")
        printError("mail sink: \(content.size) bytes from <\(envelope.sender)> for \(recipients)")
    }
    var limits = SMTPServerLimits()
    // Whoever measures sends without end on one session.
    limits.messages = .max
    // A line for each message would be the most of what it costs.
    var logger = Logger(label: "reactor.smtp.sink")
    logger.logLevel = .warning
    let server = SMTPServer(hostname: "localhost", store: store, limits: limits, logger: logger)
    return Service("smtp", secure: "smtps", target, limits: .smtpServer) { SMTPServerHandler(server) }
}
