import CReactorSystem
import Glibc
public import Reactor
import Synchronization

extension Server {
    /// Calls `action` each time the process receives `signal`, on the thread that ``run()`` runs on, between two events:
    /// SIGHUP, to read a configuration anew. Under the forking architectures that is in the parent process. What it takes
    /// long for holds up the connections that this thread serves.
    ///
    /// Before ``run()``.
    ///
    /// - Throws: ``SystemError`` if the signal cannot be handled.
    public func on(_ signal: Signal, _ action: @escaping @Sendable () -> Void) throws(SystemError) {
        try notices.add(signal, action)
    }

    /// Waits for the word to stop, and does meanwhile what signals ask for; false if the time ran out first.
    func waitForStop(milliseconds: CInt) -> Bool {
        var entries = ([stopSignal.descriptor] + notices.descriptors).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        if poll(&entries, nfds_t(entries.count), milliseconds) > 0 { notices.act() }
        return entries[0].revents != 0
    }
}

/// Signals that ask for something else than to stop.
final class Notices: Sendable {
    private struct Notice {
        /// An eventfd, readable once the signal has come.
        let descriptor: CInt
        let action: @Sendable () -> Void
    }
    private let all = Mutex<[Notice]>([])

    var descriptors: [CInt] { all.withLock { $0.map(\.descriptor) } }

    func add(_ signal: Signal, _ action: @escaping @Sendable () -> Void) throws(SystemError) {
        let descriptor = creactor_eventfd()
        guard descriptor >= 0 else { throw SystemError("handle the signal \(signal)", errno: -descriptor) }
        let result = creactor_forward_signal(signal.number, descriptor)
        if result < 0 {
            close(descriptor)
            throw SystemError("handle the signal \(signal)", errno: -result)
        }
        all.withLock { $0.append(Notice(descriptor: descriptor, action: action)) }
    }

    /// Does what the signals that have come ask for.
    func act() {
        for notice in all.withLock({ $0 }) {
            var entry = pollfd(fd: notice.descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 0) > 0 else { continue }
            creactor_eventfd_clear(notice.descriptor)
            notice.action()
        }
    }

    deinit {
        for descriptor in descriptors {
            creactor_stop_forwarding(descriptor)
            close(descriptor)
        }
    }
}
