import ConnectionHandling
import ReactorDNS
import ReactorNames

/// Asks a resolver for what ``MailExchange`` decides by. Belongs to the resolver's loop.
final class TargetFinder {
    private let resolver: Resolver
    private let own: MailExchange.Own
    private let port: UInt16
    private let limits: DeliveryLimits
    private var random = SystemRandomNumberGenerator()

    init(resolver: Resolver, own: MailExchange.Own, port: UInt16, limits: DeliveryLimits) {
        self.resolver = resolver
        self.own = own
        self.port = port
        self.limits = limits
    }

    /// Calls `then` once, at once where nobody has to be asked; not at all if the resolver goes before.
    func find(_ destination: String, by route: Route, then: @escaping (TargetDecision) -> Void) {
        if case .nextHop(let hop) = route { return find(hop, then: then) }
        if let address = Routes.literal(destination) {
            if own.has(address, port: port) { return then(MailExchange.loop(destination)) }
            return then(.targets([DeliveryTarget(name: "\(address)", address: address.socketAddress(port: port))]))
        }
        if destination.hasPrefix("[") { return then(.failed(.here(5, 1, 3, "\(destination) is no address literal"))) }
        resolver.lookUp(MailExchange.absolute(destination), .mx) { [self] result in
            switch MailExchange.step(for: destination, result, limit: limits.mailExchangers, using: &random) {
            case .decided(let decision): then(decision)
            case .resolve(let exchange):
                addresses(of: Array(Set(exchange.hosts.map(\.name)))) { [self] found in
                    then(exchange.decide(for: destination, found, own: own, port: port))
                }
            }
        }
    }

    private func find(_ hop: NextHop, then: @escaping (TargetDecision) -> Void) {
        switch hop.place {
        case .address(let address): then(.targets([DeliveryTarget(name: address.host, address: address)]))
        case .name(let name, let port):
            addresses(of: [name]) { found in
                let host = found[name]
                if let addresses = host?.addresses, !addresses.isEmpty {
                    then(.targets(addresses.map { DeliveryTarget(name: name, address: $0.socketAddress(port: port)) }))
                } else {
                    // The operator's configuration: a name that is missing today is a mistake to be put right, and no
                    // reason to return mail.
                    then(.deferred(.here(4, 4, 3, host?.trouble ?? "the next hop \(name) has no address")))
                }
            }
        }
    }

    /// Both families of all names at once. What is written like an address is no name (RFC 5321 section 5.1).
    private func addresses(of names: [String], then: @escaping ([String: HostAddresses]) -> Void) {
        let gathering = Gathering(names: names, then: then)
        for name in names {
            let isAddress = IPAddress(parsing: name.hasSuffix(".") ? String(name.dropLast()) : name) != nil
            for type in isAddress ? [] : [RecordType.aaaa, .a] {
                gathering.open += 1
                resolver.lookUp(name, type) { gathering.take($0, name, type) }
            }
        }
        gathering.endIfComplete()
    }
}

/// The results of several look-ups, until all are in.
private final class Gathering {
    var open = 0
    private let names: [String]
    private var results: [String: [RecordType: Result<Answer, ResolutionError>]] = [:]
    private let then: ([String: HostAddresses]) -> Void

    init(names: [String], then: @escaping ([String: HostAddresses]) -> Void) {
        self.names = names
        self.then = then
    }

    func take(_ result: Result<Answer, ResolutionError>, _ name: String, _ type: RecordType) {
        results[name, default: [:]][type] = result
        open -= 1
        endIfComplete()
    }

    func endIfComplete() {
        if open > 0 { return }
        var found: [String: HostAddresses] = [:]
        for name in names { found[name] = HostAddresses([.aaaa, .a].compactMap { results[name]?[$0] }) }
        then(found)
    }
}
