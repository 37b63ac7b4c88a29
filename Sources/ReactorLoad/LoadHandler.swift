import ConnectionHandling
import ReactorWire

/// What the loop calls: one client connection's events, passed on to its place in the load.
struct LoadHandler: ConnectionHandler {
    let owner: LoadConnection

    mutating func connected(on connection: inout Connection) { owner.connected(on: &connection) }
    mutating func secured(on connection: inout Connection) { owner.opened(on: &connection) }
    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        owner.received(bytes, on: &connection)
    }
    mutating func endOfInput(on connection: inout Connection) { owner.inputEnded(on: &connection) }
    mutating func closed(_ reason: CloseReason) { owner.closed(reason) }
}

/// Requests under way on one connection, the oldest first. Their number is bounded, so that none needs memory of its own.
struct PendingRequests {
    struct Request {
        /// When it was due: its latency counts from there.
        let start: UInt64
        /// When it was sent: its time-out counts from there.
        let sent: UInt64
    }

    private var slots: [Request]
    private let mask: Int
    private var head = 0
    private(set) var count = 0

    init(atMost most: Int) {
        var capacity = 1
        while capacity < most { capacity *= 2 }
        slots = Array(repeating: Request(start: 0, sent: 0), count: capacity)
        mask = capacity - 1
    }

    var oldest: Request? { count == 0 ? nil : slots[head] }

    mutating func append(_ request: Request) {
        slots[(head + count) & mask] = request
        count += 1
    }

    mutating func removeOldest() -> Request? {
        if count == 0 { return nil }
        let oldest = slots[head]
        head = (head + 1) & mask
        count -= 1
        return oldest
    }
}
