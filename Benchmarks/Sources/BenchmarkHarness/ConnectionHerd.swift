import CBenchSystem

/// Many idle connections, each of which has been answered once and stays open for as long as the herd lives.
package final class ConnectionHerd {
    private var connections: [ClientConnection] = []

    /// Few enough that no server's limit for one peer address matters. A client address has some 28,000 ports.
    private static let connectionsPerAddress = 2_000

    package init(count: Int, port: UInt16, service: Service) throws {
        let limit = Int(bench_raise_descriptor_limit())
        guard count + 100 <= limit else {
            throw Failure("\(count) connections need more open files than the \(limit) allowed here: raise ulimit -Hn")
        }
        connections.reserveCapacity(count)
        for index in 0..<count {
            do {
                let host = UInt8(clamping: 2 + index / Self.connectionsPerAddress)
                let connection = try ClientConnection(port: port, sourceHost: host, tls: service.usesTLS)
                try connection.use(service)
                connections.append(connection)
            } catch {
                throw Failure("connection \(index + 1) of \(count): \(error)")
            }
        }
    }

    /// Every so-many-th connection, beginning with the first, sends a mail message.
    func sendMessages(every step: Int) throws {
        for index in stride(from: 0, to: connections.count, by: step) { try connections[index].sendMessage() }
    }

    /// Closes the connections.
    package func disperse() { connections.removeAll() }
}
