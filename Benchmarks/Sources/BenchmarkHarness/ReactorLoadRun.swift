import CBenchSystem
import Glibc

/// One run of one subject under `reactor load`, on a server of its own.
package struct ReactorLoadRun {
    package let load: ReactorLoad
    /// What is asked for.
    package var service = Service.http
    package let workers: Int
    /// What cannot be measured beside the rest is measured on a second server: memory of idle connections, and system calls.
    package var measuresApart = false
    /// Connections that were answered once, and do nothing beside the load.
    package var idle = 0
    /// Clients beside the load that send, or read, a byte at a time: half of them each.
    package var slow = 0

    package init(_ load: ReactorLoad, workers: Int) {
        self.load = load
        self.workers = workers
    }

    /// Warms up, then measures with nothing of the harness running beside.
    package func run(_ subject: Subject, in environment: Environment) throws -> Run {
        // Slow readers are to have something to read.
        var server = try ServerProcess.start(subject, slow > 0 ? .bytes : service, workers: workers, in: environment)
        var run = Run(sample: [:], command: server.command)
        let (before, requests) = try server.measure { server in
            let switches = try server.tree.liveSwitches()
            return (switches, try measure(server, &run, in: environment))
        }
        run.sample.shareOut(try server.stop(), since: before, requests: requests)
        if measuresApart {
            let apart = ApartRun(service: service, connections: load.connections, workers: workers)
            let counted = ReactorLoad(connections: load.connections, seconds: 1, options: load.options)
            run.sample.merge(
                try apart.run(subject, in: environment) { try counted.run($0.url, in: environment).requests }) { $1 }
        }
        return run
    }

    /// - Returns: all requests that the server had from its start on.
    private func measure(
        _ server: borrowing ServerProcess, _ run: inout Run, in environment: Environment
    ) throws -> Double {
        let atRest = try server.tree.memory()
        var loaded = atRest
        let warmUp = ReactorLoad(connections: load.connections, seconds: 1, rate: load.rate, options: load.options)
        let warm = try warmUp.run(url(server), in: environment) {
            usleep(800_000)
            loaded = try server.tree.memory()
        }
        try server.awaitRest()

        // What the warm-up left behind is not the herd's.
        let warmed = try server.tree.memory()
        let herd = idle > 0 ? try ConnectionHerd(count: idle, port: server.port, service: service) : nil
        if herd != nil {
            let growth = Sample.memory(atRest: warmed, loaded: try server.tree.memory(), connections: idle)
            run.sample[.memoryPerIdleConnection] = growth[.memoryPerConnection]
        }
        let company = try slowClients(of: server.port, in: environment)
        if slow > 0 { try settle(server.tree) }
        let (before, own, began) = (try server.tree.cpuNanoseconds(), bench_own_cpu_ns(), ContinuousClock.now)
        let report = try load.run(url(server), in: environment)
        let (ownUse, took) = (bench_own_cpu_ns() - own, (ContinuousClock.now - began) / .nanoseconds(1))
        // Slow clients may keep a server from ever coming to rest: that is then what is seen.
        if slow > 0 { _ = try server.comesToRest(leaving: slow + idle, within: 1) } else { try server.awaitRest(leaving: idle) }
        let used = try server.tree.cpuNanoseconds()
        for program in company { try program.checkAlive() }
        herd?.disperse()
        // With others that hold all of its workers, a server may have none left: that is a result.
        guard report.requests > 0 || slow + idle > 0 else { throw Failure("no request was answered in \(load.seconds) s") }
        run.take(report)
        run.sample[.cpuPerRequest] = Sample.cpu(from: before, to: used, requests: report.requests)
        run.sample.merge(.memory(atRest: atRest, loaded: loaded, connections: load.connections)) { $1 }
        run.sample[.harnessShare] = Double(ownUse) / took
        return warm.requests + report.requests
    }

    /// Beside slow clients, those that behave ask for what is short.
    private func url(_ server: borrowing ServerProcess) -> String { slow > 0 ? server.plaintextURL : server.url }

    private func slowClients(of port: UInt16, in environment: Environment) throws -> [RunningProgram] {
        let milliseconds = (load.seconds + 60) * 1000
        let kinds = [(senders, 0), (readers, 1)].filter { $0.0 > 0 }
        let programs = try kinds.map { count, reads in
            try Load("slow", port: port, [count, milliseconds, reads], in: environment).start()
        }
        return programs
    }

    /// Waits until the slow clients are there and the server has written what they let it write, which is not theirs that come
    /// then: until it uses less than a tenth of its CPU.
    private func settle(_ tree: ProcessTree) throws {
        usleep(500_000)
        for _ in 0..<60 {
            let before = try tree.cpuNanoseconds()
            usleep(200_000)
            if try tree.cpuNanoseconds() < before + 20_000_000 { return }
        }
    }

    private var senders: Int { (slow + 1) / 2 }
    private var readers: Int { slow / 2 }
}

extension Run {
    /// What the load reports of its clients.
    mutating func take(_ report: ReactorLoadReport) {
        sample.merge(report.sample) { $1 }
        (latency, timeline) = (report.requests > 0 ? report.percentiles : nil, report.timeline)
        (isVouched, doubts) = (report.vouched, report.doubts)
    }
}
