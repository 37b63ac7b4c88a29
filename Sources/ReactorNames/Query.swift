import ReactorDNS

/// A question on its way to the servers, for all the look-ups that wait for it.
final class Query {
    /// Why there is no answer, so far.
    enum Failure {
        case outOfMemory, unreachable, timedOut, serverFailure, refused
        case malformed(DNSViolation)

        /// What a server said is told rather than that another said nothing.
        var weight: Int {
            switch self {
            case .outOfMemory, .unreachable: 0
            case .timedOut: 1
            case .serverFailure, .refused, .malformed: 2
            }
        }
    }

    let question: DNSMessage.Question
    private(set) var lookups: [Lookup] = []
    private(set) var failure: Failure?
    private var pruneAt = 64
    private let servers: [AresChannel]
    private var attemptsLeft: Int
    private var next = 0
    /// Servers that answered, though not with what was asked for. They would again.
    private var isSpent: [Bool]

    init(_ question: DNSMessage.Question, servers: [AresChannel], tries: Int) {
        self.question = question
        self.servers = servers
        attemptsLeft = servers.count * max(1, tries)
        isSpent = Array(repeating: false, count: servers.count)
    }

    var isWanted: Bool { lookups.contains { $0.isWaiting } }

    /// One more waits for the answer. Those that were cancelled are let go when they are many.
    func join(_ lookup: Lookup) {
        if lookups.count >= pruneAt {
            lookups.removeAll { !$0.isWaiting }
            pruneAt = max(64, 2 * lookups.count)
        }
        lookups.append(lookup)
    }

    /// The server to ask now: each in turn, as often as the options say. Nil when all have been asked.
    func nextServer() -> AresChannel? {
        while attemptsLeft > 0 {
            attemptsLeft -= 1
            let index = next
            next = (next + 1) % servers.count
            if !isSpent[index] { return servers[index] }
        }
        return nil
    }

    func failed(_ failure: Failure, at server: AresChannel) {
        if failure.weight == 2, let index = servers.firstIndex(where: { $0 === server }) { isSpent[index] = true }
        if failure.weight >= self.failure?.weight ?? 0 { self.failure = failure }
    }

    /// The same server is asked next, without counting.
    func askAgain(_ server: AresChannel) {
        guard let index = servers.firstIndex(where: { $0 === server }) else { return }
        next = index
        attemptsLeft += 1
    }
}
