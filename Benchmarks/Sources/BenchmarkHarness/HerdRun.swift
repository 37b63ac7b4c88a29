/// One run of one subject that holds idle connections, each of which was answered once, on a server of its own.
package struct HerdRun {
    package let service: Service
    package let connections: Int
    package let workers: Int

    package init(_ service: Service, connections: Int, workers: Int) {
        self.service = service
        self.connections = connections
        self.workers = workers
    }

    /// Measures the server's memory before the connections and with all of them open, and how many are served.
    package func run(_ subject: Subject, in environment: Environment) throws -> Run {
        var server = try ServerProcess.start(subject, service, workers: workers, in: environment)
        let command = server.command
        let sample = try server.measure { server in
            let atRest = try server.tree.memory()
            let herd = try ConnectionHerd(count: connections, port: server.port, service: service)
            let loaded = try server.tree.memory()
            let served = server.sockets().caughtUp
            herd.disperse()
            try server.awaitRest()

            var sample = Sample.memory(atRest: atRest, loaded: loaded, connections: connections)
            sample[.served] = Double(served)
            return sample
        }
        try server.stop()
        return Run(sample: sample, command: command)
    }
}
