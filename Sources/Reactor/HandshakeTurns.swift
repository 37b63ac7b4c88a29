import DequeModule

/// Who may read in the middle of a handshake. One costs as much as a hundred requests: without a limit on those of a turn, a
/// flood of them would keep everybody else waiting. Those beyond it stand in line for the turns to come.
struct HandshakeTurns {
    static let perTurn = 8

    private var left = HandshakeTurns.perTurn
    private(set) var waiting = Deque<LoopIdentity>()

    mutating func turnBegins() { left = Self.perTurn }

    /// Whether one may read now. Nobody passes those who wait.
    mutating func take() -> Bool {
        if left == 0 || !waiting.isEmpty { return false }
        left -= 1
        return true
    }

    mutating func wait(_ identity: LoopIdentity) { waiting.append(identity) }

    /// Whose turn it is, among those who wait.
    mutating func next() -> LoopIdentity? {
        if left == 0 { return nil }
        guard let first = waiting.popFirst() else { return nil }
        left -= 1
        return first
    }
}
