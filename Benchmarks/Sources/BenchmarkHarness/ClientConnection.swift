import CBenchSystem
import Glibc

/// The harness's own end of one connection: blocking, with a time-out, closed with the object.
final class ClientConnection {
    private let socket: Int32
    private var tls: OpaquePointer?

    /// What a client with OpenSSL's defaults, such as wrk, gets from a server with OpenSSL's preferences. A subject that
    /// chooses otherwise would not be doing the same work.
    private static let negotiated = "TLSv1.3 TLS_AES_256_GCM_SHA384 x25519"

    /// - Parameter sourceHost: the last byte of the client's address, 127.0.0.x.
    init(port: UInt16, sourceHost: UInt8 = 1, tls usesTLS: Bool = false) throws {
        socket = bench_connect(port, sourceHost, 5000)
        guard socket >= 0 else { throw Failure("cannot connect to 127.0.0.1:\(port)", errno: -socket) }
        guard usesTLS else { return }
        var text = [CChar](repeating: 0, count: 256)
        tls = bench_tls_connect(socket, &text, text.count)
        let negotiated = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard tls != nil else { throw Failure("no TLS connection to 127.0.0.1:\(port): \(negotiated)") }
        guard negotiated == Self.negotiated else { throw Failure("TLS is \(negotiated), not \(Self.negotiated)") }
    }

    deinit {
        bench_tls_free(tls)
        bench_close_reset(socket)
    }

    /// Sends the request in the given pieces, 10 ms apart, and waits for the answer.
    func get(_ pieces: [String]) throws -> HTTPAnswer {
        try send(pieces)
        var text = ""
        while true {
            text += try receive(behind: text)
            if let answer = try HTTPAnswer.complete(in: text) { return answer }
        }
    }

    /// Sends the message in the given pieces, 10 ms apart, and waits until all of it has come back.
    func echo(_ pieces: [String]) throws {
        let message = pieces.joined()
        try send(pieces)
        var text = ""
        while text.utf8.count < message.utf8.count { text += try receive(behind: text) }
        guard text == message else { throw Failure("\"\(message)\" came back as \"\(text)\"") }
    }

    func send(_ pieces: [String]) throws {
        for (index, piece) in pieces.enumerated() {
            if index > 0 { usleep(10_000) }
            let bytes = Array(piece.utf8)
            let sent = tls.map { bench_tls_send($0, bytes, bytes.count) }
                ?? Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            guard sent == bytes.count else { throw Failure("cannot send a request", errno: errno) }
        }
    }

    /// What comes next.
    ///
    /// - Parameter text: what has come before, to be shown if nothing does.
    func receive(behind text: String) throws -> String {
        do { return try receive() } catch {
            let beginning = text.prefix(200).split(whereSeparator: \.isNewline).joined(separator: " | ")
            throw text.isEmpty ? error : Failure("\(error), behind \"\(beginning)\"")
        }
    }

    private func receive() throws -> String {
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        let count = tls.map { bench_tls_recv($0, &chunk, chunk.count) } ?? recv(socket, &chunk, chunk.count, 0)
        if count < 0 { throw Failure("no answer", errno: errno) }
        if count == 0 { throw Failure("the server closed the connection instead of answering") }
        return String(decoding: chunk[..<count], as: UTF8.self)
    }
}
