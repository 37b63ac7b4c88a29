import ArgumentParser
import ConnectionHandling
import Glibc
import ReactorMailQueue
import ReactorMailRelay
import ReactorSMTP
import ServerArchitectures

struct ServeSMTP: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "smtp",
        abstract: "An SMTP relay: stores each message on disk, answers 250, and delivers it.",
        discussion: """
            A message is answered with 250 only once it is on the disk, and leaves the spool only once somebody else has taken
            it, or its sender was told that nobody did. What cannot be delivered now is tried again later; see reactor queue.

            It relays for this machine and for nobody else unless --allow, --relay-domain or --users say so.

            Try it:
              reactor serve smtp --listen 127.0.0.1:2525 --spool /tmp/spool --next-hop 127.0.0.1:2526
              swaks --server 127.0.0.1:2525 --from a@example.org --to b@example.org

            With --tls-cert and --tls-key, or --tls-self-signed, clients may go over to TLS by STARTTLS (swaks --tls).
            """)

    @OptionGroup var server: ServerArguments
    @OptionGroup(title: "Relay options") var relay: RelayArguments
    @OptionGroup var tls: TLSArguments

    @Flag(help: "Check all of this, say what is wrong or what the relay would do, and end.")
    var check = false

    func run() throws {
        let settings: RelaySettings
        do {
            settings = try RelaySettings(relay.reader())
        } catch let error as RelaySettingsError {
            error.problems.forEach { printError("reactor: \($0)") }
            throw ExitCode(EX_CONFIG)
        }
        let context = try tls.context()
        if settings.implicitTLS && context == nil {
            throw fail(EX_CONFIG, "--implicit-tls needs --tls-cert and --tls-key, or --tls-self-signed")
        }
        let targets = try server.streams(for: "serve smtp")
        if check {
            if let problem = settings.spoolProblem { throw fail(EX_CONFIG, problem) }
            return print(settings.summary(hasTLS: context != nil))
        }
        settings.logFormat.use()
        let relay = try Relay(settings, tls: context)
        let metrics = try settings.metrics.map { try MetricsServer(relay, at: $0, countsHere: !server.options.architecture.forks) }
        let services = targets.map(relay.service)
        let delivery = relay.delivery(listening: zip(targets, services).flatMap { $0.addresses(of: $1) })
        try Service.run(services, server.options, companions: [delivery] + (metrics?.companions ?? [])) { _ in
            if let metrics { printError("listening on metrics+http://\(metrics.address)") }
        }
    }
}

extension RelaySettings {
    /// What the relay would do, for people.
    func summary(hasTLS: Bool) -> String {
        var lines = ["hostname     \(hostname)", "spool        \(spool)"]
        lines.append("relays for   \(policy.allowed.map { "\($0)" }.joined(separator: ", "))")
        if options.authenticator != nil {
            lines.append("             users who authenticate" + (options.authenticatesInPlain ? ", with TLS or without" : ", over TLS"))
        }
        if options.service == .submission { lines.append("             nobody else: it serves users (--submission)") }
        if !policy.domains.isEmpty { lines.append("takes for    \(policy.domains.sorted().joined(separator: ", ")), from anybody") }
        lines.append("TLS          " + (hasTLS ? (implicitTLS ? "from the first byte" : "by STARTTLS") : "none"))
        lines.append("delivers     \(delivery.routes.standard)".replacing("delivers     mx", with: "delivers     to mail exchangers"))
        lines.append("the configuration is good")
        return lines.joined(separator: "\n")
    }

    /// Why the spool could be neither made nor used; nil if nothing is known.
    var spoolProblem: String? {
        if access(spool + "/spool.db", F_OK) == 0 {
            do throws(SpoolError) { _ = try Spool(existing: spool) } catch { return "\(error)" }
            return nil
        }
        let isThere = access(spool, F_OK) == 0
        let parent = String(spool.reversed().drop { $0 == "/" }.drop { $0 != "/" }.reversed())
        if access(isThere ? spool : parent.isEmpty ? "." : parent, W_OK | X_OK) == 0 { return nil }
        return "the spool '\(spool)' cannot be made or written to: \(String(cString: strerror(errno)))"
    }
}
