import CBenchSystem

/// Many idle connections, each of which has made one request and stays open for as long as the herd lives.
package final class ConnectionHerd {
    private var connections: [ClientConnection] = []

    /// A client address has some 28,000 ports; several addresses share a large herd.
    private static let connectionsPerAddress = 10_000

    package init(count: Int, port: UInt16) throws {
        let limit = Int(bench_raise_descriptor_limit())
        guard count + 100 <= limit else {
            throw Failure("\(count) connections need more open files than the \(limit) allowed here: raise ulimit -Hn")
        }
        connections.reserveCapacity(count)
        for index in 0..<count {
            do {
                let host = UInt8(clamping: 1 + index / Self.connectionsPerAddress)
                let connection = try ClientConnection(port: port, sourceHost: host)
                _ = try connection.get(ClientConnection.wholeRequest)
                connections.append(connection)
            } catch {
                throw Failure("connection \(index + 1) of \(count): \(error)")
            }
        }
    }

    /// Closes the connections.
    package func disperse() { connections.removeAll() }
}
