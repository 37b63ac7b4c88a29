import CReactorSystem
import ConnectionHandling
import Glibc
import Reactor

/// Waits for connections on every endpoint of a server, and for the word to stop: one for each thread or process that
/// accepts. Of those waiting on the same sockets, the kernel wakes one for each connection.
struct Acceptor: ~Copyable {
    private let server: Server
    private let set: Descriptor
    private var stopping = false
    /// Accepted connections that may still be taken once the server stops: those that waited then.
    private var last = 4_096

    struct Accepted {
        let fd: CInt
        let endpoint: Endpoint
        let peer: SocketAddress
    }

    init(_ server: Server) throws(SystemError) {
        self.server = server
        let watched = server.listeners + [server.stopSignal.descriptor]
        let number = creactor_input_set(watched, CInt(watched.count), CInt(server.listeners.count))
        guard number >= 0 else { throw SystemError("wait for connections", errno: -number) }
        set = Descriptor(owning: number)
    }

    enum Event {
        case accepted(Accepted)
        case timedOut
        /// The server stops, and every connection that had been made before is accepted.
        case stopped
    }

    /// The next connection. The socket is blocking.
    mutating func next(timeout milliseconds: CInt = -1) -> Event {
        while true {
            if stopping {
                guard last > 0, let accepted = acceptAny() else { return .stopped }
                last -= 1
                return .accepted(accepted)
            }
            var ready = [CInt](repeating: 0, count: 8)
            let count = creactor_input_wait(set.number, &ready, CInt(ready.count), milliseconds)
            if count == 0 { return .timedOut }
            for number in ready.prefix(Int(max(count, 0))) {
                if number == server.stopSignal.descriptor {
                    stopping = true
                } else if let index = server.listeners.firstIndex(of: number), let accepted = accept(index) {
                    return .accepted(accepted)
                }
            }
        }
    }

    /// Serves one connection after another until the server stops.
    mutating func acceptAll(_ serve: (Accepted) -> Void) {
        while true {
            switch next() {
            case .timedOut: continue
            case .stopped: return
            case .accepted(let accepted): serve(accepted)
            }
        }
    }

    private func acceptAny() -> Accepted? {
        for index in server.listeners.indices {
            if let accepted = accept(index) { return accepted }
        }
        return nil
    }

    private func accept(_ index: Int) -> Accepted? {
        var storage = sockaddr_storage()
        var length: UInt32 = 0
        let fd = creactor_accept(server.listeners[index], 0, &storage, &length)
        if fd >= 0 {
            return Accepted(
                fd: fd, endpoint: server.endpoints[index], peer: SocketAddress(system: storage, length: length))
        }
        if fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM {
            // The socket stays readable: without a pause this would spin until a descriptor is free.
            usleep(100_000)
        }
        return nil
    }
}

extension Acceptor.Accepted {
    /// Serves the connection to its end on the calling thread. `closing` is called just before the socket is closed,
    /// while its number is still its own.
    func serve(stopSignal: StopSignal, closing: () -> Void = {}) {
        var connection = BlockingConnection(
            fd: fd, peer: peer, handler: endpoint.makeHandler(), limits: endpoint.limits, stopSignal: stopSignal)
        connection.serve(closing: closing)
    }
}
