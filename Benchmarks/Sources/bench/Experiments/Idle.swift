import BenchmarkHarness

struct Idle: Experiment {
    let name = "idle"
    let summary = "memory for each idle keep-alive connection that has made one request (8,000 of them)"
    let needsWrk = false

    let reading = """
        memory/conn  proportional set size that each idle connection adds to the server and its children; the kernel's
                     own memory for a socket, the same for every server, is not in it
        """

    let defaults = Plan(subjects: [.architectures[0], .floor], connections: [8000], duration: 0)

    let columns: [Column] = [
        .served,
        .median(.memoryPerConnection, "memory/conn", Format.bytes),
        .ratioToFloor(.memoryPerConnection),
        .spread(.memoryPerConnection),
        .median(.memoryAtRest, "at rest", Format.bytes),
    ]

    func run(_ subject: Subject, connections: Int, plan: Plan, in environment: Environment) throws -> Run {
        var server = try ServerProcess.start(subject, workers: plan.workers(for: connections), in: environment)
        let command = server.command
        let sample = try server.measure { server in
            let atRest = try server.tree.memory()
            let herd = try ConnectionHerd(count: connections, port: server.port)
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
