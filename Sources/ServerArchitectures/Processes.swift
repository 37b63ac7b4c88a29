import CReactorSystem
import Glibc
import Reactor

/// The child processes of a forking server.
private struct Children: ~Copyable {
    private var pids: Set<pid_t> = []

    init() {
        // Ignored, as a parent may have left it, it would make the system collect them behind our back.
        signal(SIGCHLD, SIG_DFL)
    }

    var count: Int { pids.count }

    /// Forks a process that runs `body` and exits. It dies with its parent.
    mutating func start(_ body: () -> Void) throws(SystemError) -> pid_t {
        let parent = getpid()
        let pid = creactor_fork()
        if pid < 0 { throw SystemError("fork", errno: -pid) }
        if pid == 0 {
            if creactor_become_child(parent) != 0 { body() }
            // Not exit(): what the parent registered to run at its own exit is not the child's to run.
            _exit(0)
        }
        pids.insert(pid)
        return pid
    }

    /// Collects the processes that have ended.
    mutating func reap() -> [pid_t] {
        var ended: [pid_t] = []
        while true {
            let pid = waitpid(-1, nil, WNOHANG)
            if pid < 0 && errno == ECHILD {
                // None is left, whoever collected them.
                ended += pids
                pids = []
            }
            if pid <= 0 { return ended }
            if pids.remove(pid) != nil { ended.append(pid) }
        }
    }

    /// Waits until every process has ended: `grace` at most, then they are killed.
    mutating func finish(within grace: Duration) {
        let end = ContinuousClock.now + grace + .milliseconds(500)
        while count > 0 {
            let late = ContinuousClock.now >= end
            for pid in pids { kill(pid, late ? SIGKILL : Interruption.signal) }
            usleep(UInt32(Interruption.interval) * 1_000)
            _ = reap()
        }
    }
}

extension Server {
    /// A process for each connection: this one accepts.
    func runForkPerConnection() throws(SystemError) {
        try requireSingleThread()
        try Interruption.enable()
        var children = Children()
        var companionProcesses = try startCompanions(&children)
        var acceptor = try Acceptor(self)
        serving: while true {
            try restartCompanions(&companionProcesses, ended: children.reap(), &children)
            while children.count >= options.maxPerConnectionWorkers && !stopSignal.wait(milliseconds: 10) {
                try restartCompanions(&companionProcesses, ended: children.reap(), &children)
            }
            // Comes back now and then to collect the children that have ended meanwhile.
            switch acceptor.next(timeout: children.count > 0 ? 1_000 : -1) {
            case .timedOut: continue
            case .stopped: break serving
            case .accepted(let accepted):
                // Where no process can be had, this peer sees its connection closed and those being served go on.
                _ = try? children.start {
                    closeListeners()
                    accepted.serve(stopSignal: stopSignal)
                }
                close(accepted.fd)
            }
        }
        closeListeners()
        children.finish(within: options.grace)
    }

    /// A fixed number of processes, each of which accepts and serves one connection after another; this one replaces
    /// those that end, and stops them.
    func runPrefork() throws(SystemError) {
        try requireSingleThread()
        try Interruption.enable()
        var children = Children()
        var companionProcesses = try startCompanions(&children)
        for _ in 0..<options.workers { try startWorker(&children) }
        while !stopSignal.wait(milliseconds: 250) {
            try restartCompanions(&companionProcesses, ended: children.reap(), &children)
            // A few each time: workers that die at their start must not become a fork bomb.
            let missing = options.workers + companionProcesses.count - children.count
            for _ in 0..<min(max(missing, 0), 8) { try? startWorker(&children) }
        }
        closeListeners()
        children.finish(within: options.grace)
    }

    private func startWorker(_ children: inout Children) throws(SystemError) {
        _ = try children.start {
            // Where this fails the process ends, and its parent tries again with another.
            guard var acceptor = try? Acceptor(self) else { return }
            acceptor.acceptAll { $0.serve(stopSignal: stopSignal) }
        }
    }

    private func startCompanions(_ children: inout Children) throws(SystemError) -> [pid_t: Companion] {
        var processes: [pid_t: Companion] = [:]
        for companion in companions { processes[try startCompanion(companion, &children)] = companion }
        return processes
    }

    private func startCompanion(_ companion: Companion, _ children: inout Children) throws(SystemError) -> pid_t {
        let descriptor = stopSignal.descriptor
        return try children.start {
            closeListeners()
            companion.run(descriptor)
        }
    }

    private func restartCompanions(
        _ processes: inout [pid_t: Companion], ended: [pid_t], _ children: inout Children
    ) throws(SystemError) {
        for pid in ended {
            guard let companion = processes.removeValue(forKey: pid), !stopSignal.isSent else { continue }
            // One that ends at its start must not be forked over and over without a pause.
            usleep(100_000)
            processes[try startCompanion(companion, &children)] = companion
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
