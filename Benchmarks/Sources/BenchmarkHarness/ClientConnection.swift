import CBenchSystem
import Glibc

/// The harness's own end of one connection: blocking, with a time-out, closed with the object.
final class ClientConnection {
    private let socket: Int32

    /// - Parameter sourceHost: the last byte of the client's address, 127.0.0.x.
    init(port: UInt16, sourceHost: UInt8 = 1) throws {
        socket = bench_connect(port, sourceHost, 5000)
        guard socket >= 0 else { throw Failure("cannot connect to 127.0.0.1:\(port)", errno: -socket) }
    }

    deinit { bench_close_reset(socket) }

    /// Sends the request in the given pieces, 10 ms apart, and waits for the answer.
    func get(_ pieces: [StaticString]) throws -> HTTPAnswer {
        for (index, piece) in pieces.enumerated() {
            if index > 0 { usleep(10_000) }
            let sent = send(socket, piece.utf8Start, piece.utf8CodeUnitCount, Int32(MSG_NOSIGNAL))
            guard sent == piece.utf8CodeUnitCount else { throw Failure("cannot send a request", errno: errno) }
        }
        var text = ""
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(socket, &chunk, chunk.count, 0)
            if count < 0 { throw Failure("no answer to GET /plaintext", errno: errno) }
            if count == 0 { throw Failure("the server closed the connection instead of answering") }
            text += String(decoding: chunk[..<count], as: UTF8.self)
            if let answer = try HTTPAnswer.complete(in: text) { return answer }
        }
    }
}

extension ClientConnection {
    static let wholeRequest: [StaticString] = ["GET /plaintext HTTP/1.1\r\nHost: localhost\r\n\r\n"]
    private static let splitRequest: [StaticString] = ["GET /plaintext HT", "TP/1.1\r\nHost: localhost\r\n\r", "\n"]

    /// Asks the subject the question that it must answer before it is measured, whole and in pieces, on one connection.
    static func check(_ subject: Subject, port: UInt16) throws {
        let connection = try ClientConnection(port: port)
        for request in [wholeRequest, splitRequest] {
            try connection.get(request).checkPlaintext(exactFields: subject.hasExactFields)
        }
    }
}
