import CLibev
import ConnectionHandling

/// What a socket's watchers call.
class LoopSocket: LoopOwned {
    func ready(_ events: CInt) {}
    func timerFired() {}
}

/// The two watchers of a socket: what it waits for, and until when. At an address that stays, since libev keeps it.
struct SocketWatchers: ~Copyable {
    private var watchers = clibev_connection()
    /// When the timer will fire; `.distantFuture` while it is stopped. Deadlines that move away leave it be.
    private var timerFires = MonotonicTime.distantFuture

    /// Once, where it will stay. The owner stops it before it goes.
    mutating func setUp(_ fd: CInt, for owner: LoopSocket) {
        clibev_io_init(
            &watchers.io,
            { _, watcher, events in
                guard let data = watcher?.pointee.data else { return }
                // The loop keeps it to the end of the turn: to count that for each event would be for nothing.
                Unmanaged<LoopSocket>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.ready(events) }
            }, fd, 0)
        clibev_timer_init(
            &watchers.timer,
            { _, watcher, _ in
                guard let data = watcher?.pointee.data else { return }
                Unmanaged<LoopSocket>.fromOpaque(data).takeUnretainedValue().timerFired()
            }, 0, 0)
        let owner = Unmanaged.passUnretained(owner).toOpaque()
        watchers.io.data = owner
        watchers.timer.data = owner
    }

    /// Waits for these events from now on. libev tells the kernel once before it waits, and only if what was asked for has
    /// changed.
    mutating func wait(for events: CInt, on loop: EventLoop) {
        let active = clibev_is_active(&watchers.io) != 0
        if active && watchers.io.events & (clibev_read | clibev_write) == events { return }
        if active { ev_io_stop(loop.ev, &watchers.io) }
        if events == 0 { return }
        clibev_io_modify(&watchers.io, events)
        ev_io_start(loop.ev, &watchers.io)
    }

    /// Makes sure that the timer fires no later than `deadline`. One that fires early is armed again then: a deadline that
    /// moves away with every request costs no call.
    mutating func wake(by deadline: MonotonicTime, on loop: EventLoop) {
        if deadline >= timerFires { return }
        if timerFires != .distantFuture { ev_timer_stop(loop.ev, &watchers.timer) }
        loop.updateTimeOutsideTurns()
        timerFires = deadline
        clibev_timer_set(&watchers.timer, Double(loop.clock.now.nanoseconds(until: deadline)) / 1e9, 0)
        ev_timer_start(loop.ev, &watchers.timer)
    }

    /// The timer has fired, and is stopped.
    mutating func timerHasFired() { timerFires = .distantFuture }

    mutating func stop(on loop: EventLoop) {
        ev_io_stop(loop.ev, &watchers.io)
        ev_timer_stop(loop.ev, &watchers.timer)
    }
}
