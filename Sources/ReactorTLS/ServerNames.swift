/// Which certificates a client gets for the name that it asks for: an exact name goes before a wildcard, and what stands
/// first in the configuration before what follows. A context has one identity for each kind of key.
struct ServerNames: Sendable {
    /// For clients that ask for no name, or for one that nobody has.
    let first: SSLContext
    private(set) var contexts: [SSLContext] = []
    private var exact: [String: SSLContext] = [:]
    /// By what follows "*."; the wildcard stands for one label (RFC 9525 section 6.3).
    private var wildcards: [String: SSLContext] = [:]

    init(
        _ identities: [LoadedIdentity], make: ([LoadedIdentity]) throws(TLSConfigurationError) -> SSLContext
    ) throws(TLSConfigurationError) {
        let names = identities.map { Set($0.names) }
        var made: [[Int]: SSLContext] = [:]
        func context(_ candidates: [Int]) throws(TLSConfigurationError) -> SSLContext {
            var members: [Int] = []
            for candidate in candidates {
                let isAnotherKind = !members.contains { identities[$0].keyType == identities[candidate].keyType }
                if isAnotherKind { members.append(candidate) }
            }
            if let context = made[members] { return context }
            let context = try make(members.map { identities[$0] })
            made[members] = context
            return context
        }
        let companions = names.indices.dropFirst().filter { !names[$0].isDisjoint(with: names[0]) }
        first = try context([0] + companions)
        for name in Set(names.joined()) {
            let holders = names.indices.filter { names[$0].contains(name) }
            if name.hasPrefix("*.") {
                wildcards[String(name.dropFirst(2))] = try context(holders)
            } else {
                let broader = "*." + Self.parent(of: name)
                exact[name] = try context(holders + names.indices.filter { names[$0].contains(broader) && !holders.contains($0) })
            }
        }
        contexts = Array(made.values)
    }

    func context(for name: String) -> SSLContext? {
        let name = name.lowercased()
        return exact[name] ?? wildcards[Self.parent(of: name)]
    }

    private static func parent(of name: String) -> String {
        guard let dot = name.utf8.firstIndex(of: UInt8(ascii: ".")) else { return "" }
        return String(name[name.index(after: dot)...])
    }
}
