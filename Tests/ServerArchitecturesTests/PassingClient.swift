import CReactorSystem
import ConnectionHandling
import Glibc
import Reactor
import TestSupport

/// What the server's `n` command answers: what its handlers were told, over all its threads or processes.
struct Ledger: CustomStringConvertible {
    var opened = 0
    var closed = 0
    var late = 0
    var alive = 0
    var descriptors = 0

    /// Asks until the asking connection is the only one, 15 s at most.
    static func settled(_ address: SocketAddress) throws -> Ledger {
        var ledger = Ledger()
        for _ in 0..<1_500 {
            ledger = try ask(address)
            if ledger.opened == ledger.closed + 1 && ledger.alive == 1 { break }
            usleep(10_000)
        }
        return ledger
    }

    static func ask(_ address: SocketAddress) throws -> Ledger {
        let client = try TestClient(address)
        client.send("nq")
        let numbers = client.receive(until: UInt8(ascii: ";")).dropLast().split(separator: " ").compactMap { Int($0) }
        guard numbers.count == 5 else { throw SystemError("ask the server for its ledger", errno: EIO) }
        return Ledger(opened: numbers[0], closed: numbers[1], late: numbers[2], alive: numbers[3], descriptors: numbers[4])
    }

    var description: String {
        "opened \(opened), closed \(closed), late \(late), alive \(alive), descriptors \(descriptors)"
    }
}

/// A client on a Unix-domain socket that passes descriptors and takes them.
final class PassingClient {
    private let client: TestClient

    init(_ address: SocketAddress) throws { client = try TestClient(address) }

    func send(_ text: String) { client.send(text) }

    /// Sends `text` with a descriptor for each of `contents`, which reads as that.
    func pass(_ text: String, _ contents: [String]) {
        var numbers: [CInt] = []
        for content in contents {
            var pair: [CInt] = [0, 0]
            guard pipe(&pair) == 0 else { return }
            write(pair[1], content, content.utf8.count)
            close(pair[1])
            numbers.append(pair[0])
        }
        var bytes = Array(text.utf8)
        bytes.withUnsafeMutableBytes { bytes in
            var piece = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
            _ = creactor_send_vector(client.fd, &piece, 1, numbers, CInt(numbers.count), 0)
        }
        for number in numbers { close(number) }
    }

    /// What comes next, with the descriptors that came along, which are the caller's.
    func receive() -> (text: String, descriptors: [CInt]) {
        var bytes = [UInt8](repeating: 0, count: 1_000)
        var numbers = [CInt](repeating: -1, count: 8)
        var count: CInt = 0
        let received = creactor_receive_passed(client.fd, &bytes, bytes.count, 0, &numbers, 8, &count)
        return (String(decoding: bytes.prefix(Int(max(received, 0))), as: UTF8.self), Array(numbers.prefix(Int(count))))
    }
}
