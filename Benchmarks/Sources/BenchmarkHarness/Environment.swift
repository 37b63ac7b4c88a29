import CBenchSystem

/// Where the servers and the load run, and what is measured.
package struct Environment: Sendable {
    package let executables: Executables
    /// The CPU that servers are pinned to; nil where there is only one, and nothing is pinned.
    package let serverCPU: Int?
    /// The CPU of the load and of the harness itself.
    package let loadCPU: Int?

    /// For servers that belong to the load: the next hop of a relay, or the name server that it asks.
    var ofLoad: Environment { Environment(executables: executables, serverCPU: loadCPU, loadCPU: loadCPU) }

    private init(executables: Executables, serverCPU: Int?, loadCPU: Int?) {
        self.executables = executables
        self.serverCPU = serverCPU
        self.loadCPU = loadCPU
    }

    package init(executables: Executables) {
        self.executables = executables
        var cpus = [Int32](repeating: 0, count: 2)
        if bench_usable_cpus(&cpus, 2) == 2 {
            (serverCPU, loadCPU) = (Int(cpus[0]), Int(cpus[1]))
        } else {
            (serverCPU, loadCPU) = (nil, nil)
        }
    }

    /// Pins this process beside the load, and lets it and the servers open as many descriptors as they may.
    package func enter() {
        if let loadCPU { bench_pin_self(Int32(loadCPU)) }
        bench_raise_descriptor_limit()
    }
}
