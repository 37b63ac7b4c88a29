import Reactor

/// A resolver's sockets, as its loop watches them. An object of its own: c-ares reports the last of them while the resolver
/// itself is going.
final class LoopSockets {
    private weak var loop: EventLoop?
    private var watched: [CInt: (readable: Watcher?, writable: Watcher?)] = [:]
    /// What to do when one is ready.
    var ready: (CInt, _ readable: Bool, _ writable: Bool) -> Void = { _, _, _ in }

    init(loop: EventLoop) { self.loop = loop }

    func watch(_ socket: CInt, readable: Bool, writable: Bool) {
        var watchers = watched[socket] ?? (nil, nil)
        if readable != (watchers.readable != nil) {
            watchers.readable?.cancel()
            watchers.readable = readable ? loop?.onReadable(socket) { [unowned self] in ready(socket, true, false) } : nil
        }
        if writable != (watchers.writable != nil) {
            watchers.writable?.cancel()
            watchers.writable = writable ? loop?.onWritable(socket) { [unowned self] in ready(socket, false, true) } : nil
        }
        watched[socket] = readable || writable ? watchers : nil
    }
}
