import CLibev
import ConnectionHandling
import Glibc
import Synchronization

/// A callback that can be taken back. The loop keeps it until it is cancelled or, if it fires once, has fired; it need
/// not be kept by the caller. Belongs to the loop's thread.
public class Watcher {
    /// Ends it: its callback is not called again. Harmless when it has ended already.
    public func cancel() {}
}

/// The loop's side of a ``Watcher``.
private final class OwnedWatcher<Kind>: LoopOwned {
    let raw: UnsafeMutablePointer<Kind>
    let body: () -> Void
    private let stopRaw: (OpaquePointer, UnsafeMutablePointer<Kind>) -> Void

    init(_ loop: EventLoop, body: @escaping () -> Void, stop: @escaping (OpaquePointer, UnsafeMutablePointer<Kind>) -> Void) {
        raw = .allocate(capacity: 1)
        self.body = body
        stopRaw = stop
        super.init(loop: loop)
        loop.own(self)
    }

    deinit { raw.deallocate() }

    var opaque: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    override func end() {
        guard isOwned else { return }
        stopRaw(loop.ev, raw)
        loop.disown(self)
    }

    static func of(_ data: UnsafeMutableRawPointer?) -> OwnedWatcher? {
        data.map { Unmanaged<OwnedWatcher>.fromOpaque($0).takeUnretainedValue() }
    }
}

private final class CancellableWatcher<Kind>: Watcher {
    private weak var owned: OwnedWatcher<Kind>?
    init(_ owned: OwnedWatcher<Kind>) { self.owned = owned }
    override func cancel() { owned?.end() }
}

extension EventLoop {
    /// Calls `body` in every turn in which `descriptor` has input, or its end, to read. The descriptor stays the
    /// caller's: cancel the watcher before closing it.
    @discardableResult
    public func onReadable(_ descriptor: CInt, _ body: @escaping () -> Void) -> Watcher {
        onReady(descriptor, clibev_read, body)
    }

    /// Calls `body` in every turn in which `descriptor` can be written to. Cancel it when there is nothing to write.
    @discardableResult
    public func onWritable(_ descriptor: CInt, _ body: @escaping () -> Void) -> Watcher {
        onReady(descriptor, clibev_write, body)
    }

    private func onReady(_ descriptor: CInt, _ events: CInt, _ body: @escaping () -> Void) -> Watcher {
        let owned = OwnedWatcher<ev_io>(self, body: body) { ev_io_stop($0, $1) }
        clibev_io_init(owned.raw, { _, raw, _ in OwnedWatcher<ev_io>.of(raw?.pointee.data)?.body() }, descriptor, events)
        owned.raw.pointee.data = owned.opaque
        ev_io_start(ev, owned.raw)
        return CancellableWatcher(owned)
    }

    /// Calls `body` once, when `delay` has passed.
    @discardableResult
    public func after(_ delay: Duration, _ body: @escaping () -> Void) -> Watcher {
        timer(after: delay, repeating: nil, body)
    }

    /// Calls `body` each time `interval` has passed. Turns that come late are not made up for.
    @discardableResult
    public func every(_ interval: Duration, _ body: @escaping () -> Void) -> Watcher {
        precondition(interval > .zero, "a repeating timer needs an interval")
        return timer(after: interval, repeating: interval, body)
    }

    private func timer(after delay: Duration, repeating interval: Duration?, _ body: @escaping () -> Void) -> Watcher {
        updateTimeOutsideTurns()
        let owned = OwnedWatcher<ev_timer>(self, body: body) { ev_timer_stop($0, $1) }
        let callback: clibev_timer_cb = { _, raw, _ in
            guard let raw, let owned = OwnedWatcher<ev_timer>.of(raw.pointee.data) else { return }
            // libev has stopped a one-shot timer by now; it is let go first, so that its callback may set another.
            if raw.pointee.repeat == 0 { owned.end() }
            owned.body()
        }
        clibev_timer_init(owned.raw, callback, delay.inSeconds, interval?.inSeconds ?? 0)
        owned.raw.pointee.data = owned.opaque
        ev_timer_start(ev, owned.raw)
        return CancellableWatcher(owned)
    }

    /// Calls `body` when the process receives `signal`. The process's, not the thread's: one loop can have it at a
    /// time.
    ///
    /// - Throws: ``SystemError`` with `EBUSY` if another loop has the signal.
    @discardableResult
    public func on(_ signal: Signal, _ body: @escaping () -> Void) throws(SystemError) -> Watcher {
        let me = ObjectIdentifier(self)
        let free = signalOwners.withLock { owners -> Bool in
            var entry = owners[signal] ?? (me, 0)
            guard entry.0 == me else { return false }
            entry.1 += 1
            owners[signal] = entry
            return true
        }
        guard free else { throw SystemError("watch \(signal): another event loop has it", errno: EBUSY) }
        let owned = OwnedWatcher<ev_signal>(self, body: body) { loop, raw in
            ev_signal_stop(loop, raw)
            signalOwners.withLock { owners in
                guard var entry = owners[signal] else { return }
                entry.1 -= 1
                owners[signal] = entry.1 == 0 ? nil : entry
            }
        }
        clibev_signal_init(owned.raw, { _, raw, _ in OwnedWatcher<ev_signal>.of(raw?.pointee.data)?.body() }, signal.number)
        owned.raw.pointee.data = owned.opaque
        ev_signal_start(ev, owned.raw)
        return CancellableWatcher(owned)
    }
}

/// Which loop has each signal, and with how many watchers. libev aborts the process when two loops share one.
private let signalOwners = Mutex<[Signal: (ObjectIdentifier, Int)]>([:])

/// A signal of the operating system.
public struct Signal: Hashable, Sendable, CustomStringConvertible {
    public let number: CInt
    public init(_ number: CInt) { self.number = number }

    public static let terminate = Signal(SIGTERM)
    public static let interrupt = Signal(SIGINT)
    public static let hangup = Signal(SIGHUP)
    public static let user1 = Signal(SIGUSR1)
    public static let user2 = Signal(SIGUSR2)

    public var description: String { String(cString: strsignal(number)) }
}

extension Duration {
    var inSeconds: Double { Double(wholeNanoseconds) / 1e9 }
}
