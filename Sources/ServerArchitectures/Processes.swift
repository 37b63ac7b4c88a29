import CReactorSystem
import Glibc
import Reactor

/// The child processes of a forking server.
private struct Children: ~Copyable {
    /// What to do when each has ended.
    private var pids: [pid_t: () -> Void] = [:]

    init() {
        // Ignored, as a parent may have left it, it would make the system collect them behind our back.
        signal(SIGCHLD, SIG_DFL)
    }

    var count: Int { pids.count }

    /// Forks a process that runs `body` and exits. It dies with its parent, which runs `ended` when it is gone.
    mutating func start(ended: @escaping () -> Void = {}, _ body: () -> Void) throws(SystemError) -> pid_t {
        let parent = getpid()
        let pid = creactor_fork()
        if pid < 0 { throw SystemError("fork", errno: -pid) }
        if pid == 0 {
            if creactor_become_child(parent) != 0 { body() }
            // Not exit(): what the parent registered to run at its own exit is not the child's to run.
            _exit(0)
        }
        pids[pid] = ended
        return pid
    }

    /// Collects the processes that have ended: all children of this process, which a forking server has to itself.
    mutating func reap() -> [pid_t] {
        var ended: [pid_t] = []
        while true {
            let pid = waitpid(-1, nil, WNOHANG)
            if pid < 0 && errno == ECHILD {
                // None is left, whoever collected them.
                for (pid, body) in pids {
                    body()
                    ended.append(pid)
                }
                pids = [:]
            }
            if pid <= 0 { return ended }
            if let body = pids.removeValue(forKey: pid) {
                body()
                ended.append(pid)
            }
        }
    }

    /// Waits until every process has ended: `grace` at most, then they are killed.
    mutating func finish(within grace: Duration) {
        let end = ContinuousClock.now + grace + .milliseconds(500)
        while count > 0 {
            let late = ContinuousClock.now >= end
            for pid in pids.keys { kill(pid, late ? SIGKILL : Interruption.signal) }
            usleep(UInt32(Interruption.interval) * 1_000)
            _ = reap()
        }
    }
}

/// The processes of a server's companions, and of those who receive datagrams: each is started again when it ends.
private struct CompanionProcesses: ~Copyable {
    private var running: [pid_t: Companion] = [:]
    private var missing: [Companion]
    private let server: Server
    private var lastStart = ContinuousClock.now - .seconds(1)

    init(_ server: Server) {
        self.server = server
        missing = server.companions + server.receivers.map { receive in Companion { _ in receive() } }
    }

    var count: Int { running.count }
    var isNeeded: Bool { !running.isEmpty || !missing.isEmpty }

    /// Starts those that are missing. One that cannot be started now is tried again at a later call.
    mutating func update(ended: [pid_t], _ children: inout Children) {
        missing += ended.compactMap { running.removeValue(forKey: $0) }
        // One that ends at its start must not become a fork bomb.
        if missing.isEmpty || ContinuousClock.now - lastStart < .milliseconds(250) { return }
        lastStart = .now
        let descriptor = server.stopSignal.descriptor
        let starting = missing
        missing = []
        for companion in starting {
            do throws(SystemError) {
                running[try children.start { companion.run(descriptor) }] = companion
            } catch {
                missing.append(companion)
            }
        }
    }
}

extension Server {
    /// A process for each connection: this one accepts.
    func runForkPerConnection() throws(SystemError) {
        try requireSingleThread()
        try Interruption.enable()
        var children = Children()
        var companions = CompanionProcesses(self)
        let acceptor = try Acceptor(self, isMain: true)
        serving: while true {
            companions.update(ended: children.reap(), &children)
            if children.count >= options.maxPerConnectionWorkers {
                if waitForStop(milliseconds: 10) { break }
                continue
            }
            // Comes back now and then to collect the children that have ended meanwhile.
            switch acceptor.next(timeout: children.count > 0 || companions.isNeeded ? 1_000 : -1) {
            case .timedOut: continue
            case .stopped: break serving
            case .accepted(let accepted): start([[accepted]], &children)
            }
        }
        let room = options.maxPerConnectionWorkers - children.count
        start(shares(of: stopListening(), among: room), &children)
        children.finish(within: options.grace)
    }

    /// A fixed number of processes, each of which accepts and serves one connection after another; this one replaces
    /// those that end, and stops them.
    func runPrefork() throws(SystemError) {
        try requireSingleThread()
        try Interruption.enable()
        var children = Children()
        var companions = CompanionProcesses(self)
        companions.update(ended: [], &children)
        let peers = try PeerTable(server: self)
        // Those who receive datagrams are companions.
        let workers = endpoints.isEmpty ? 0 : options.workers
        for _ in 0..<workers { try startWorker(&children, peers) }
        while !waitForStop(milliseconds: 250) {
            companions.update(ended: children.reap(), &children)
            // A few each time: workers that die at their start must not become a fork bomb.
            let missing = workers + companions.count - children.count
            for _ in 0..<min(max(missing, 0), 8) { try? startWorker(&children, peers) }
        }
        start(shares(of: stopListening(), among: options.workers), &children)
        children.finish(within: options.grace)
    }

    private func startWorker(_ children: inout Children, _ peers: PeerTable) throws(SystemError) {
        guard let place = peers.takePlace() else { return }
        do throws(SystemError) {
            _ = try children.start(ended: { peers.free(place) }) {
                // Where this fails the process ends, and its parent tries again with another.
                guard let acceptor = try? Acceptor(self, sharing: (peers, place)) else { return }
                acceptor.acceptAll { accepted in
                    if peers.enter(accepted, at: place) {
                        accepted.serve(stopSignal: stopSignal)
                    } else {
                        resetOnClose(accepted.fd)
                        accepted.drop()
                        accepted.leave()
                    }
                    peers.leave(place)
                }
            }
        } catch {
            peers.free(place)
            throw error
        }
    }

    /// Forks a process for each share, which serves it one by one.
    private func start(_ shares: [[Accepted]], _ children: inout Children) {
        for (index, share) in shares.enumerated() {
            let leave = { for accepted in share { accepted.leave() } }
            do throws(SystemError) {
                _ = try children.start(ended: leave) {
                    // A copy left open here would keep other peers from seeing the end of theirs.
                    for other in shares[(index + 1)...].joined() { other.drop() }
                    for accepted in share { accepted.serve(stopSignal: stopSignal) }
                }
            } catch {
                // These peers see their connections closed, and those being served go on.
                leave()
            }
            for accepted in share { accepted.drop() }
        }
    }

    /// A forked copy of a process with several threads has only one of them, and may hold locks of the others for ever.
    private func requireSingleThread() throws(SystemError) {
        guard let directory = opendir("/proc/self/task") else { return }
        defer { closedir(directory) }
        var entries = 0
        while readdir(directory) != nil { entries += 1 }
        // Beside `.` and `..`.
        if entries > 3 {
            throw SystemError("serve by forked processes: this process has other threads", errno: EINVAL)
        }
    }
}
