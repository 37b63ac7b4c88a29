import Configuration
import ConnectionHandling
import Foundation
import ReactorDNS
import ReactorMailRelay
import ReactorNames
import ReactorSMTP

/// What a relay is told, read and checked whole: everything that is wrong is said at once.
struct RelaySettings: Sendable {
    var spool: String
    var hostname: String
    var policy: RelayPolicy
    var limits = SMTPServerLimits()
    var options = SMTPServerOptions()
    var delivery: DeliveryOptions
    var implicitTLS: Bool
    var keepsFailed: Bool
    /// Where the metrics are asked for.
    var metrics: SocketAddress?
    var logFormat: LogLineFormat

    /// For this machine alone, and all else by default.
    init(spool: String, nextHop: String) throws {
        let values: [RelaySetting: String] = [.spool: spool, .nextHop: nextHop, .hostname: "localhost"]
        let pairs = values.map { ($0.absoluteKey, ConfigValue(.string($1), isSecret: false)) }
        try self.init(ConfigReader(provider: InMemoryProvider(values: Dictionary(uniqueKeysWithValues: pairs))))
    }

    /// - Throws: ``RelaySettingsError``.
    init(_ config: ConfigReader) throws {
        var reading = Reading(config)
        spool = reading.text(.spool) ?? reading.missing(.spool, "the directory that messages are kept in")
        let name = reading.parsed(.hostname, "a domain name, or an address literal such as [192.0.2.1]") { HostName($0)?.text }
        let hostname = name ?? HostName.ofThisMachine
        self.hostname = hostname
        let allowed = reading.list(.allow) { try? CIDR(parsing: $0) }
        let domains = reading.list(.relayDomain, RelayDomain.init).flatMap(\.forms)
        policy = RelayPolicy(allowed: allowed.isEmpty ? CIDR.loopback : allowed, domains: Set(domains))
        limits.messageSize = reading.number(.maxSize, in: 1024...(1 << 40)) ?? limits.messageSize
        limits.recipients = reading.number(.maxRecipients, in: 1...1_000_000) ?? limits.recipients
        limits.messagesPerMinute = reading.number(.messagesPerMinute, in: 0...1_000_000_000) ?? limits.messagesPerMinute
        limits.greetDelay = reading.seconds(.greetDelay) ?? limits.greetDelay
        options.service = reading.isTrue(.submission) ? .submission : .relay
        options.authenticator = reading.users()
        options.authenticatesInPlain = reading.isTrue(.authWithoutTLS)
        options.normalizing = reading.list(.normalize) { try? CIDR(parsing: $0) }
        implicitTLS = reading.isTrue(.implicitTLS)
        keepsFailed = reading.isTrue(.keepFailed)
        metrics = reading.parsed(.metrics, "an address and a port, such as 127.0.0.1:9100") { try? SocketAddress(parsing: $0) }
        logFormat = reading.parsed(.logFormat, "text or json", LogLineFormat.init(rawValue:)) ?? .text
        delivery = DeliveryOptions(hostname: hostname, routes: reading.routes(localDomain: hostname))
        options.policy = RoutedRecipients(delivery.routes, hostname: hostname)
        delivery.ownNames = reading.list(.ownName) { HostName($0)?.text }
        delivery.ownAddresses = reading.list(.ownAddress) { IPAddress(parsing: $0) }
        delivery.port = reading.number(.deliveryPort, in: 1...65535).map { UInt16($0) } ?? delivery.port
        delivery.resolver.servers = reading.list(.resolver) { try? SocketAddress(parsing: $0) }
        delivery.limits.lifetime = reading.seconds(.lifetime) ?? delivery.limits.lifetime
        if let warning = reading.seconds(.delayWarning) { delivery.limits.warnAfter = warning == .zero ? nil : warning }
        if let first = reading.seconds(.firstRetry) {
            delivery.limits.firstRetry = first
            delivery.limits.lastRetry = max(first, delivery.limits.lastRetry)
        }
        if !reading.problems.isEmpty { throw RelaySettingsError(problems: reading.problems) }
    }
}

/// A domain whose mail anybody may send here: `example.org`, `.example.org` for all below it, or an address literal.
private struct RelayDomain {
    /// As recipients may have it: in its own script, and in ASCII.
    let forms: [String]

    init?(_ text: String) {
        let isBelow = text.hasPrefix(".")
        var domain = isBelow ? String(text.dropFirst()) : text
        if domain.hasSuffix(".") { domain.removeLast() }
        guard let ascii = try? InternationalName.asciiForm(of: domain), let name = HostName(ascii)?.text,
            !isBelow || !name.hasPrefix("[")
        else { return nil }
        forms = Set([domain, name]).map { isBelow ? "." + $0 : $0 }
    }
}

/// Reads settings, and gathers what is wrong with them.
private struct Reading {
    private let config: ConfigReader
    var problems: [String] = []

    init(_ config: ConfigReader) { self.config = config }

    func text(_ setting: RelaySetting) -> String? { config.string(forKey: setting.key) }

    mutating func missing(_ setting: RelaySetting, _ what: String) -> String {
        problems.append("give --\(setting.rawValue), \(what)")
        return ""
    }

    mutating func parsed<Value>(_ setting: RelaySetting, _ what: String, _ parse: (String) -> Value?) -> Value? {
        guard let text = text(setting) else { return nil }
        if let value = parse(text) { return value }
        problems.append("'\(printable(text))' will not do for --\(setting.rawValue): give \(what)")
        return nil
    }

    mutating func number(_ setting: RelaySetting, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(setting) else { return nil }
        if let number = Int(text), range.contains(number) { return number }
        problems.append("--\(setting.rawValue) must be from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
        return nil
    }

    mutating func seconds(_ setting: RelaySetting) -> Duration? {
        number(setting, in: 0...(100 * 365 * 86_400)).map { .seconds($0) }
    }

    mutating func isTrue(_ setting: RelaySetting) -> Bool {
        switch text(setting)?.lowercased() {
        case nil, "false", "no", "0": return false
        case "true", "yes", "1": return true
        case let other?:
            problems.append("--\(setting.rawValue) is true or false, not '\(other)'")
            return false
        }
    }

    func list(_ setting: RelaySetting) -> [String] { config.stringArray(forKey: setting.key) ?? [] }

    mutating func list<Value>(_ setting: RelaySetting, _ parse: (String) -> Value?) -> [Value] {
        list(setting).compactMap { text in
            if let value = parse(text) { return value }
            problems.append("'\(printable(text))' will not do for --\(setting.rawValue)")
            return nil
        }
    }

    mutating func users() -> (any SMTPAuthenticator)? {
        guard let path = text(.users) else { return nil }
        do {
            return try SMTPUsers(parsing: String(contentsOfFile: path, encoding: .utf8))
        } catch let error as SMTPUsersError {
            problems.append("users in '\(path)': \(error)")
        } catch {
            problems.append("cannot read the users in '\(path)': \(error.localizedDescription)")
        }
        return nil
    }

    private mutating func credentials() -> SMTPCredentials? {
        guard let user = text(.nextHopUser), let path = text(.nextHopPasswordFile) else {
            if text(.nextHopUser) != text(.nextHopPasswordFile) {
                problems.append("--next-hop-user and --next-hop-password-file go together")
            }
            return nil
        }
        let content = try? String(contentsOfFile: path, encoding: .utf8)
        guard let password = content?.split(whereSeparator: \.isNewline).first else {
            problems.append("'\(path)' cannot be read, or does not begin with a password")
            return nil
        }
        return SMTPCredentials(user: user, password: String(password))
    }

    mutating func routes(localDomain: String) -> Routes {
        var routes = Routes(localDomain: localDomain)
        let credentials = credentials()
        if let text = text(.nextHop) {
            do {
                let hop = try NextHop(parsing: text)
                routes.standard = .nextHop(hop)
                if let credentials { routes.add(hop, credentials) }
            } catch {
                problems.append("--next-hop: \(error)")
            }
        } else if credentials != nil {
            problems.append("--next-hop-user needs --next-hop")
        }
        for text in list(.route) {
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                problems.append("'\(text)' will not do for --route: write DOMAIN=WAY")
                continue
            }
            do {
                routes.add(String(text[..<equals]), try Route(parsing: String(text[text.index(after: equals)...])))
            } catch {
                problems.append("--route \(text): \(error)")
            }
        }
        for text in list(.deliveryTLS) {
            let parts = text.split(separator: "=", maxSplits: 1)
            guard let last = parts.last, let how = DestinationTLS(rawValue: String(last)) else {
                problems.append("'\(text)' will not do for --delivery-tls: write none, opportunistic, required, verified or implicit")
                continue
            }
            if parts.count == 1 {
                routes.standardTLS = how
                continue
            }
            let pattern = String(parts[0])
            routes.add(pattern, how)
            // Sessions are held with next hops, whatever domain their messages are for.
            let destination = routes.destination(for: "x@" + (pattern.hasPrefix(".") ? "x" : "") + pattern)
            if !pattern.contains(":"), destination.contains(":"), !destination.hasPrefix("[") {
                problems.append("--delivery-tls \(text): mail for \(pattern) goes to \(destination); write \(destination)=\(how.rawValue)")
            }
        }
        return routes
    }
}
