import Synchronization

/// How much content all connections of one server hold in memory, together.
final class ContentBudget: Sendable {
    private let limit: Int
    private let total = Atomic(0)

    init(limit: Int) { self.limit = limit }

    /// In bytes.
    var held: Int { total.load(ordering: .relaxed) }

    /// One message's part of the budget. It is given back by ``release()``, or else when nobody holds the share any
    /// more: whichever way a message ends, it does not go on counting.
    final class Share: Sendable {
        private let budget: ContentBudget
        private let held = Atomic(0)

        init(of budget: ContentBudget) { self.budget = budget }

        deinit { release() }

        /// Makes the share `count` bytes. False, and the share is as it was, if the budget has not so much left. A
        /// share belongs to one message, and is not grown from two threads at once.
        func grow(to count: Int) -> Bool {
            let more = count - held.load(ordering: .relaxed)
            let total = budget.total.add(more, ordering: .relaxed).newValue
            if more > 0, total > budget.limit {
                budget.total.subtract(more, ordering: .relaxed)
                return false
            }
            held.store(count, ordering: .relaxed)
            return true
        }

        func release() { budget.total.subtract(held.exchange(0, ordering: .relaxed), ordering: .relaxed) }
    }
}
