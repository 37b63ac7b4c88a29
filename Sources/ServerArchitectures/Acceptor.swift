import CReactorSystem
import ConnectionHandling
import Glibc
import Reactor
import Synchronization

/// A connection that was accepted and waits to be served; its socket is blocking.
struct Accepted {
    let fd: CInt
    let endpoint: StreamEndpoint
    let peer: SocketAddress
    let admission: Admission

    /// Serves the connection to its end on the calling thread.
    func serve(stopSignal: StopSignal) {
        var connection = BlockingConnection(
            fd: fd, peer: peer, handler: endpoint.makeHandler(), limits: endpoint.limits, stopSignal: stopSignal)
        connection.serve()
        leave()
    }

    /// Closes this process's copy of a connection that is not served here.
    func drop() { close(fd) }

    /// Gives its place to another connection.
    func leave() { admission.leave(PeerKey(peer)) }
}

/// Waits for connections on every endpoint of a server, and for the word to stop: one for each thread or process that
/// accepts. Of those waiting on the same sockets, the kernel wakes one for each connection.
struct Acceptor: ~Copyable {
    private let server: Server
    private let set: Descriptor
    /// Where the limits hold over several processes: their table, and this one's place in it.
    private let shared: (table: PeerTable, place: Int)?

    /// - Parameter isMain: whether it runs on the server's own thread, which does what signals ask for.
    init(
        _ server: Server, isMain: Bool = false, sharing shared: (table: PeerTable, place: Int)? = nil
    ) throws(SystemError) {
        self.server = server
        self.shared = shared
        let watched = server.listeners + [server.stopSignal.descriptor] + (isMain ? server.notices.descriptors : [])
        let number = creactor_input_set(watched, CInt(watched.count), CInt(server.listeners.count))
        guard number >= 0 else { throw SystemError("wait for connections", errno: -number) }
        set = Descriptor(owning: number)
    }

    enum Event {
        case accepted(Accepted)
        case timedOut
        case stopped
    }

    func next(timeout milliseconds: CInt = -1) -> Event {
        while true {
            var ready = [CInt](repeating: 0, count: 8)
            let count = creactor_input_wait(set.number, &ready, CInt(ready.count), milliseconds)
            if count == 0 { return .timedOut }
            let numbers = ready.prefix(Int(max(count, 0)))
            if numbers.contains(server.stopSignal.descriptor) { return .stopped }
            for number in numbers {
                guard let index = server.listeners.firstIndex(of: number) else {
                    server.notices.act()
                    continue
                }
                if let shared, !shared.table.reserve(index, at: shared.place) {
                    usleep(server.pauseWithoutPlace)
                    continue
                }
                if let accepted = server.accept(index) { return .accepted(accepted) }
                if let shared { shared.table.leave(shared.place) }
            }
            // Whoever limits the wait has something to see to, such as children whose places become free.
            if milliseconds >= 0 { return .timedOut }
        }
    }

    /// Serves one connection after another until the server stops.
    func acceptAll(_ serve: (Accepted) -> Void) {
        while true {
            switch next() {
            case .timedOut: continue
            case .stopped: return
            case .accepted(let accepted): serve(accepted)
            }
        }
    }
}

extension Server {
    /// Those that wait keep the socket readable: without a pause, in microseconds, the caller would spin. However many
    /// accept, together they look some 500 times a second at most.
    fileprivate var pauseWithoutPlace: UInt32 {
        let acceptors = options.architecture == .threadPool || options.architecture == .prefork ? options.workers : 1
        return UInt32(clamping: min(max(acceptors, 5), 250) * 2_000)
    }

    /// A connection that waits on the endpoint's socket, if one does and can be taken.
    func accept(_ index: Int) -> Accepted? {
        let admission = admissions[index]
        while true {
            if !admission.reserve() {
                usleep(pauseWithoutPlace)
                return nil
            }
            var storage = sockaddr_storage()
            var length: UInt32 = 0
            let mayAccept = exhaustion.withLock { $0.mayAccept }
            let fd = mayAccept ? creactor_accept(listeners[index], 0, &storage, &length) : -EMFILE
            if fd >= 0 {
                exhaustion.withLock { $0.accepted() }
                let peer = SocketAddress(system: storage, length: length).unmapped
                let accepted = Accepted(fd: fd, endpoint: endpoints[index], peer: peer, admission: admission)
                if admission.enter(PeerKey(peer)) { return accepted }
                resetOnClose(fd)
                accepted.drop()
                continue
            }
            admission.cancel()
            switch AcceptFailure(errno: -fd) {
            case .ofOneConnection: continue
            case .exhausted:
                _ = exhaustion.withLock { $0.exhausted(listeners[index]) }
                usleep(100_000)
                return nil
            case .noneWaits: return nil
            }
        }
    }

    /// Stops listening, for every thread and process that shares the sockets. Returns the connections that waited to be
    /// accepted: their peers were promised a server. A socket that was handed over stays as it is, for the next server.
    func stopListening() -> [Accepted] {
        removeDatagramPaths()
        var promised: [Accepted] = []
        for (index, listener) in listeners.enumerated() where !endpoints[index].isAdopted {
            let endpoint = endpoints[index]
            // First, so that nobody who comes now is promised anything by it; and a server that starts while this one
            // drains may bind the path anew, and must keep it.
            files[index]?.remove()
            while promised.count < endpoint.options.backlog, let accepted = accept(index) { promised.append(accepted) }
            shutdown(listener, CInt(SHUT_RD))
        }
        return promised
    }

    /// Deals what waited among at most `count` threads or processes, each of which serves its share one by one.
    func shares(of promised: [Accepted], among count: Int) -> [[Accepted]] {
        var shares = [[Accepted]](repeating: [], count: min(promised.count, max(count, 1)))
        for (index, accepted) in promised.enumerated() { shares[index % shares.count].append(accepted) }
        return shares
    }
}
