/// What cannot be measured beside the rest, on a server of its own: what idle connections take, since there would be others
/// too, and system calls, since strace slows a server down many times.
package struct ApartRun {
    var service = Service.http
    let connections: Int
    let workers: Int
    /// The subject serves so many at once; one that does not would not answer the herd.
    var holdsHerd = true
    /// How long it takes, about.
    package static let seconds = 2

    /// - Parameter load: loads the server for a second, and returns how many requests it answered.
    func run(
        _ subject: Subject, in environment: Environment, load: (borrowing ServerProcess) throws -> Double
    ) throws -> Sample {
        var server = try ServerProcess.start(subject, service, workers: workers, in: environment)
        let sample = try server.measure { server in
            var sample: Sample = [:]
            if holdsHerd { sample[.memoryPerIdleConnection] = try idleMemory(server) }
            sample[.systemCallsPerRequest] = try callsPerRequest(server, load, in: environment)
            return sample
        }
        try server.stop()
        return sample
    }

    private func idleMemory(_ server: borrowing ServerProcess) throws -> Double? {
        let atRest = try server.tree.memory()
        let herd = try ConnectionHerd(count: connections, port: server.port, service: service)
        let idle = try server.tree.memory()
        herd.disperse()
        try server.awaitRest()
        return Sample.memory(atRest: atRest, loaded: idle, connections: connections)[.memoryPerConnection]
    }

    private func callsPerRequest(
        _ server: borrowing ServerProcess, _ load: (borrowing ServerProcess) throws -> Double, in environment: Environment
    ) throws -> Double? {
        guard let counter = try SystemCallCounter.attached(to: server.tree, cpu: environment.loadCPU) else { return nil }
        let requests = try load(server)
        try server.awaitRest()
        let calls = try counter.stop()
        return requests > 0 ? Double(calls.total) / requests : nil
    }
}
