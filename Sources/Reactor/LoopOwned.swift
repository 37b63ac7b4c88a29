/// Names an object of a loop from outside its thread. Never reused, unlike the slot.
struct LoopIdentity: Sendable {
    let slot: Int
    let serial: UInt64
}

/// Something that a loop keeps alive while libev may call it.
class LoopOwned {
    /// Unowned: the loop outlives what it owns, and ends it before it goes.
    final let unownedLoop: Unmanaged<EventLoop>
    final var loop: EventLoop { unownedLoop.takeUnretainedValue() }
    final var slot = -1
    final let serial: UInt64

    init(loop: EventLoop) {
        unownedLoop = .passUnretained(loop)
        serial = loop.nextSerial()
    }

    final var identity: LoopIdentity { LoopIdentity(slot: slot, serial: serial) }
    final var isOwned: Bool { slot >= 0 }

    /// The loop is going, or has no more use for it: stop the watchers, close what is open.
    func end() {}
}
