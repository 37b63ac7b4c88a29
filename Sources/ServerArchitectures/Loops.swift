import ConnectionHandling
import Dispatch
import Glibc
import Reactor

extension Server {
    /// Event loops: one on this thread, the others on threads of their own, each with its own listening sockets.
    func runLoops() throws(SystemError) {
        let ended = DispatchSemaphore(value: 0)
        var started = 0
        defer { for _ in 0..<started { ended.wait() } }
        do throws(SystemError) {
            let descriptor = stopSignal.descriptor
            for companion in companions {
                try startThread {
                    companion.run(descriptor)
                    ended.signal()
                }
                started += 1
            }
            for index in 1..<max(options.loops, 1) {
                // Made here, so that a failure is reported before anything is served.
                let offloadPool = OffloadPool(maxThreads: options.offloadThreads)
                try startThread {
                    do throws(SystemError) { try self.runLoop(index, offloadPool) } catch { self.fail(error) }
                    ended.signal()
                }
                started += 1
            }
            try runLoop(0, OffloadPool(maxThreads: options.offloadThreads))
        } catch {
            stop()
            throw error
        }
    }

    private func runLoop(_ index: Int, _ offloadPool: OffloadPool) throws(SystemError) {
        let loop = try EventLoop(backend: options.backend, offloadPool: offloadPool)
        defer { loop.close() }
        for (number, endpoint) in endpoints.enumerated() {
            try loop.listen(
                adopting: Descriptor(owning: sockets[number][index]), limits: endpoint.limits,
                admission: admissions[number], isLent: endpoint.isAdopted, makeHandler: endpoint.makeHandler)
        }
        for (endpoint, sockets) in zip(datagrams, datagramSockets) where index < sockets.count {
            try loop.bind(
                adopting: Descriptor(owning: sockets[index]), options: endpoint.options, limits: endpoint.limits,
                ownsPath: !endpoint.isAdopted, handler: endpoint.makeHandler())
        }
        if index == 0 {
            for descriptor in notices.descriptors { loop.onReadable(descriptor) { self.notices.act() } }
        }
        let grace = options.grace
        var stop: Watcher?
        stop = loop.onReadable(stopSignal.descriptor) {
            stop?.cancel()
            loop.shutDown(within: grace)
        }
        options.prepareLoop?(loop)
        loop.run()
    }
}
