import ArgumentParser
import Configuration

/// The flags that say what a relay does. Each can stand in the environment or in a file instead; see ``RelaySetting``.
struct RelayArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Keep messages in this directory, made if missing.", valueName: "dir"))
    var spool: String?

    @Option(
        help: ArgumentHelp(
            """
            What the server calls itself: a domain name, or an address literal such as [192.0.2.1]. Default: this machine's \
            name.
            """, valueName: "name"))
    var hostname: String?

    @Option(
        help: ArgumentHelp(
            """
            Give all mail to this server: host:port, unix:/path, or lmtp: before one of them. Default: to the mail \
            exchangers (MX) of each recipient's domain.
            """, valueName: "host:port"))
    var nextHop: String?

    @Option(help: ArgumentHelp("Authenticate to the next hop as this user, over TLS with a valid certificate.", valueName: "name"))
    var nextHopUser: String?

    @Option(help: ArgumentHelp("The file whose first line is that user's password.", valueName: "file"))
    var nextHopPasswordFile: String?

    @Option(
        help: ArgumentHelp(
            """
            Mail for DOMAIN (.DOMAIN: for all below it) goes another way: mx, host:port, lmtp:host:port, lmtp:unix:/path, \
            maildir:/path (in which %u is the local part and %d the domain), discard, or 'error:5.1.1 text'. May be repeated.
            """, valueName: "domain=way"))
    var route: [String] = []

    @Option(
        name: .customLong("delivery-tls"),
        help: ArgumentHelp(
            """
            Deliver with TLS: none, opportunistic (the default), required, verified, or implicit (verified, from the first \
            byte, port 465); for one domain or next hop, DOMAIN=HOW. May be repeated.
            """, valueName: "[domain=]how"))
    var deliveryTLS: [String] = []

    @Option(
        help: ArgumentHelp(
            "Relay for clients in this network; may be repeated. Default: 127.0.0.0/8 and ::1/128, this machine only.",
            valueName: "cidr"))
    var allow: [String] = []

    @Option(
        help: ArgumentHelp("Take mail for this domain from anybody; .DOMAIN: all below it. May be repeated.", valueName: "domain"))
    var relayDomain: [String] = []

    @Option(
        help: ArgumentHelp(
            "Users who may authenticate, and then relay: a file with a line for each, as reactor mail user prints them.",
            valueName: "file"))
    var users: String?

    @Flag(name: .customLong("auth-without-tls"), help: "Let users authenticate without TLS, where anybody on the way can read a password.")
    var authWithoutTLS = false

    @Flag(name: .customLong("implicit-tls"), help: "Speak TLS from the first byte (port 465), not by STARTTLS.")
    var implicitTLS = false

    @Flag(help: "Serve users (port 587): who may not relay may not send; a missing Date or Message-ID is added.")
    var submission = false

    @Option(help: ArgumentHelp("The largest message, in bytes.", valueName: "bytes"))
    var maxSize: String?

    @Option(help: ArgumentHelp("Recipients of one message.", valueName: "count"))
    var maxRecipients: String?

    @Option(help: ArgumentHelp("Messages in a minute from one address that may not relay; 0: any number.", valueName: "count"))
    var messagesPerMinute: String?

    @Option(help: ArgumentHelp("Let clients that may not relay wait so long for the greeting.", valueName: "seconds"))
    var greetDelay: String?

    @Option(help: ArgumentHelp("Clients in this network may end lines in a bare CR or LF; may be repeated.", valueName: "cidr"))
    var normalize: [String] = []

    @Option(help: ArgumentHelp("Ask this name server, not those of /etc/resolv.conf; may be repeated.", valueName: "host:port"))
    var resolver: [String] = []

    @Option(help: ArgumentHelp("A further name of this relay, as MX records may have it; may be repeated.", valueName: "name"))
    var ownName: [String] = []

    @Option(help: ArgumentHelp("An address at which this relay takes mail for others; may be repeated.", valueName: "address"))
    var ownAddress: [String] = []

    @Option(help: ArgumentHelp("The port of mail exchangers, for tests. Default: 25.", valueName: "port"))
    var deliveryPort: String?

    @Option(help: ArgumentHelp("Give a message up after so long. Default: 5 days.", valueName: "seconds"))
    var lifetime: String?

    @Option(
        help: ArgumentHelp("Tell a sender once that a message is late after so long; 0: never. Default: 4 hours.", valueName: "seconds"))
    var delayWarning: String?

    @Option(help: ArgumentHelp("Try a refused recipient again after so long at first; it doubles. Default: 300.", valueName: "seconds"))
    var firstRetry: String?

    @Flag(help: "Keep messages that failed in the spool, for people to see; their senders are told in any case.")
    var keepFailed = false

    @Option(
        help: ArgumentHelp(
            """
            Answer GET /metrics there, in the text format of Prometheus. Where processes are forked, they are those of the \
            queue alone: each process counts for itself.
            """, valueName: "addr"))
    var metrics: String?

    @Option(help: ArgumentHelp("How the log is written, on standard error: text or json, an object a line.", valueName: "format"))
    var logFormat: String?

    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            """
            Read settings from this file: a JSON object whose names are these flags' without their dashes, and with arrays \
            for what may be repeated. A flag comes first, then REACTOR_SMTP_NAME in the environment, then the file.
            """, valueName: "file"))
    var config: String?

    /// The settings, with flags before the environment before the file.
    func reader() throws -> ConfigReader {
        var providers: [any ConfigProvider] = [
            InMemoryProvider(name: "flags", values: values),
            EnvironmentVariablesProvider().prefixKeys(with: ConfigKey(["reactor", "smtp"])),
        ]
        if let config { providers.append(InMemoryProvider(name: "file", values: try RelayFile(path: config).values)) }
        return ConfigReader(providers: providers)
    }

    private var values: [AbsoluteConfigKey: ConfigValue] {
        let texts: [(RelaySetting, String?)] = [
            (.spool, spool), (.hostname, hostname), (.nextHop, nextHop), (.nextHopUser, nextHopUser),
            (.nextHopPasswordFile, nextHopPasswordFile), (.users, users), (.maxSize, maxSize),
            (.maxRecipients, maxRecipients), (.messagesPerMinute, messagesPerMinute), (.greetDelay, greetDelay),
            (.deliveryPort, deliveryPort), (.lifetime, lifetime), (.delayWarning, delayWarning), (.firstRetry, firstRetry),
            (.authWithoutTLS, authWithoutTLS ? "true" : nil), (.implicitTLS, implicitTLS ? "true" : nil),
            (.metrics, metrics), (.logFormat, logFormat),
            (.submission, submission ? "true" : nil), (.keepFailed, keepFailed ? "true" : nil),
        ]
        let lists: [(RelaySetting, [String])] = [
            (.route, route), (.deliveryTLS, deliveryTLS), (.allow, allow), (.relayDomain, relayDomain), (.normalize, normalize),
            (.resolver, resolver), (.ownName, ownName), (.ownAddress, ownAddress),
        ]
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for case (let setting, let text?) in texts { values[setting.absoluteKey] = ConfigValue(.string(text), isSecret: false) }
        for (setting, list) in lists where !list.isEmpty {
            values[setting.absoluteKey] = ConfigValue(.stringArray(list), isSecret: false)
        }
        return values
    }
}
