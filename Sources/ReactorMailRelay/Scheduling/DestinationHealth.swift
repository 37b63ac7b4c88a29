/// What a destination's answers say about how many connections it bears, and whether it gives service at all.
struct DestinationHealth: Equatable {
    /// Connections that it may have at one time; the fraction is what successes have earned of the next.
    private(set) var window: Double
    /// Sessions in a row that broke off in the middle of a message.
    private(set) var failures = 0
    /// How often in a row it was found dead.
    private(set) var deaths = 0
    private let limit: Double
    private let failuresInRow: Int

    init(_ limits: DeliveryLimits) {
        limit = Double(max(1, limits.connectionsPerDestination))
        window = min(limit, Double(max(1, limits.initialConnections)))
        failuresInRow = max(1, limits.failuresInRow)
    }

    /// Connections that it may have. One that was dead is probed by a single one.
    var connections: Int { deaths > 0 ? 1 : Int(window) }

    /// It has answered for a message, whatever the answer.
    mutating func answered() {
        window = min(limit, window + 1 / window)
        failures = 0
        deaths = 0
    }

    /// A session has ended that was to go on: refused, broken off, or closed with 421.
    ///
    /// - Parameters:
    ///   - answered: it had answered for a message before.
    ///   - others: other sessions with it have, and are open.
    /// - Returns: whether it counts as dead from now on.
    mutating func sessionFailed(answered: Bool, others: Bool, gaveService: Bool) -> Bool {
        window = max(1, window / 2)
        if answered || others { return false }
        failures += 1
        // One that lets nobody in gives no service. One that fails in the middle of a message may fail by that message.
        if gaveService, deaths == 0, failures < failuresInRow { return false }
        failures = 0
        deaths += 1
        return true
    }
}
