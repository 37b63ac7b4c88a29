import ReactorSMTP

/// How much of the queue is in memory, and how much more of it may be.
struct HeldMessages {
    private(set) var count = 0
    private(set) var bytes = 0
    /// Of a content, lately.
    private var average = 16 * 1024
    private let limits: DeliveryLimits

    init(_ limits: DeliveryLimits) { self.limits = limits }

    /// How many messages may be read now; one at least, so that a destination that has none goes on.
    var allowance: Int {
        let byBytes = max(0, limits.heldBytes - bytes) / max(1, average)
        return max(1, min(limits.batch, limits.heldMessages - count, byBytes))
    }

    mutating func took(_ message: OutgoingMessage) {
        let size = Self.size(message)
        count += 1
        bytes += size
        average = (average * 15 + size) / 16
    }

    mutating func gave(_ message: OutgoingMessage) {
        count -= 1
        bytes -= Self.size(message)
    }

    /// A file's content is not in memory; what is, is some hundred bytes of addresses.
    private static func size(_ message: OutgoingMessage) -> Int {
        if case .bytes(let bytes) = message.content { 512 + bytes.count } else { 512 }
    }
}
