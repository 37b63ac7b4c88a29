import ConnectionHandling
import ReactorDNS
import ReactorNames
import ReactorSMTP

/// An address to try, and the name of the server that is expected there.
struct DeliveryTarget: Equatable {
    /// For logs, and for what a certificate must be valid for.
    var name: String
    var address: SocketAddress
}

/// Where the messages of a destination go, or why they cannot be sent there.
enum TargetDecision: Equatable {
    case targets([DeliveryTarget])
    case deferred(DeliveryReport)
    case failed(DeliveryReport)
}

/// The rules of RFC 5321 section 5.1 and RFC 7505, without asking anybody: which hosts exchange a domain's mail, and in
/// which order their addresses are tried.
struct MailExchange: Equatable {
    struct Host: Equatable {
        var preference: UInt16
        /// Absolute, with its dot at the end.
        var name: String
    }

    /// Sorted: the first is tried first.
    var hosts: [Host]
    /// There is no MX record: the domain's own addresses stand for one.
    var isImplicit = false

    enum Step: Equatable {
        case resolve(MailExchange)
        case decided(TargetDecision)
    }

    /// - Parameter limit: hosts looked at. The rest of a longer list is left out.
    static func step(
        for domain: String, _ result: Result<Answer, ResolutionError>, limit: Int, using random: inout some RandomNumberGenerator
    ) -> Step {
        switch result {
        case .success(let answer): step(for: domain, answer, limit: limit, using: &random)
        case .failure(.noData):
            .resolve(MailExchange(hosts: [Host(preference: 0, name: absolute(domain))], isImplicit: true))
        case .failure(.nameDoesNotExist): .decided(.failed(.here(5, 1, 2, "the domain \(domain) does not exist")))
        case .failure(.invalidName): .decided(.failed(.here(5, 1, 2, "\(domain) is no domain name")))
        // SERVFAIL, time-outs and the like say nothing about the domain: taking them for "no MX" would send its mail astray.
        case .failure(let error): .decided(.deferred(.here(4, 4, 3, "\(error)")))
        }
    }

    private static func step(
        for domain: String, _ answer: Answer, limit: Int, using random: inout some RandomNumberGenerator
    ) -> Step {
        var hosts: [Host] = []
        var refuses = false
        for record in answer.records {
            guard case .mx(let preference, let exchange) = record.data else { continue }
            if exchange.isRoot { refuses = true } else { hosts.append(Host(preference: preference, name: "\(exchange)")) }
        }
        if hosts.isEmpty {
            // RFC 7505 section 4.2: the whole record says that no mail is wanted. Among others it means nothing.
            if refuses { return .decided(.failed(.here(5, 1, 10, "556 5.1.10 the domain \(domain) takes no mail (null MX)"))) }
            return .decided(.deferred(.here(4, 4, 3, "the answer for \(domain) holds no MX record")))
        }
        // Shuffled first, so that those of equal preference share the load: the sort is stable.
        hosts.shuffle(using: &random)
        hosts = hosts.enumerated().sorted { ($0.element.preference, $0.offset) < ($1.element.preference, $1.offset) }.map(\.element)
        return .resolve(MailExchange(hosts: Array(hosts.prefix(limit))))
    }

    static func absolute(_ domain: String) -> String { domain.hasSuffix(".") ? domain : domain + "." }

    /// Who this relay is: mail must not be sent from it to itself.
    struct Own {
        /// In lower case, without a dot at the end.
        var names: Set<String>
        var addresses: Set<IPAddress>
        /// Where it listens, each address by itself.
        var listening: Set<SocketAddress> = []

        /// What leads back here. At the port of mail exchangers every address of this machine's own is this relay, which
        /// takes mail for anybody from there.
        func has(_ address: IPAddress, port: UInt16) -> Bool {
            let address = address.unmapped
            return addresses.contains(address) || port == 25 && address.isThisMachine
                || listening.contains(address.socketAddress(port: port))
        }

        /// Every address of `machine` in place of an unspecified one.
        static func sockets(_ listening: [SocketAddress], of machine: [IPAddress]) -> Set<SocketAddress> {
            var sockets: Set<SocketAddress> = []
            for address in listening {
                switch address {
                case .ipv4(0, let port):
                    for case .v4(let number) in machine { sockets.insert(.ipv4(number, port: port)) }
                case .ipv6(0, 0, let port, _):
                    for case .v6(let high, let low) in machine { sockets.insert(.ipv6(high: high, low: low, port: port)) }
                case .ipv4, .ipv6: sockets.insert(address)
                case .unix: break
                }
            }
            return sockets
        }
    }

    /// The decision, once the addresses are known: `found` has what is known of each host's.
    func decide(for domain: String, _ found: [String: HostAddresses], own: Own, port: UInt16) -> TargetDecision {
        let cut = hosts.first { isOwn($0, found[$0.name], own, port) }?.preference
        // RFC 5321 section 5.1: what is not nearer to the recipient than we are would send it back to us.
        let usable = cut.map { cut in hosts.filter { $0.preference < cut } } ?? hosts
        if usable.isEmpty { return Self.loop(domain) }
        let targets = usable.flatMap { host in
            (found[host.name]?.addresses ?? []).map {
                DeliveryTarget(name: String(host.name.dropLast()), address: $0.socketAddress(port: port))
            }
        }
        if !targets.isEmpty { return .targets(targets) }
        if let trouble = usable.lazy.compactMap({ found[$0.name]?.trouble }).first { return .deferred(.here(4, 4, 3, trouble)) }
        let why = isImplicit ? "\(domain) has neither MX nor address records" : "no mail exchanger of \(domain) has an address"
        return .failed(.here(5, isImplicit ? 1 : 4, isImplicit ? 2 : 4, why))
    }

    static func loop(_ domain: String) -> TargetDecision { .failed(.here(5, 4, 6, "mail for \(domain) loops back to this relay")) }

    private func isOwn(_ host: Host, _ found: HostAddresses?, _ own: Own, _ port: UInt16) -> Bool {
        own.names.contains(host.name.dropLast().lowercased()) || found?.addresses.contains { own.has($0, port: port) } ?? false
    }
}

extension IPAddress {
    /// `::ffff:192.0.2.1` is where 192.0.2.1 is.
    fileprivate var unmapped: IPAddress {
        if case .v6(0, let low) = self, low >> 32 == 0xFFFF { .v4(UInt32(truncatingIfNeeded: low)) } else { self }
    }

    /// Loopback, and the unspecified address, which connects to the same.
    fileprivate var isThisMachine: Bool {
        switch self {
        case .v4(let number): number >> 24 == 127 || number >> 24 == 0
        case .v6(let high, let low): high == 0 && low <= 1
        }
    }
}

/// The addresses of one host, of both families.
struct HostAddresses: Equatable {
    /// Families take turns, so that one that cannot be reached does not use up all attempts.
    var addresses: [IPAddress] = []
    /// Why there may be more than are known now.
    var trouble: String?

    init(_ results: [Result<Answer, ResolutionError>]) {
        var families: [ArraySlice<IPAddress>] = []
        for result in results {
            switch result {
            case .success(let answer): families.append(answer.records.compactMap(\.data.address)[...])
            case .failure(.noData), .failure(.nameDoesNotExist), .failure(.invalidName): break
            case .failure(let error): trouble = "\(error)"
            }
        }
        while !families.allSatisfy(\.isEmpty) {
            for index in families.indices { if let address = families[index].popFirst() { addresses.append(address) } }
        }
    }
}

extension DeliveryReport {
    /// Decided here: nobody else has said it.
    static func here(_ kind: UInt16, _ subject: UInt16, _ detail: UInt16, _ text: String) -> DeliveryReport {
        let printable = text.utf8.prefix(512).map { (32...126).contains($0) ? $0 : UInt8(ascii: "?") }
        return DeliveryReport(
            status: EnhancedStatusCode(kind, subject, detail), text: String(decoding: printable, as: UTF8.self))
    }
}
