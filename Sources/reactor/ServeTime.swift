import ArgumentParser
import ConnectionHandling
import ServerArchitectures

struct ServeTime: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "time",
        abstract: "Tells the time, over TCP and UDP (RFC 868).",
        discussion: """
            The answer is the number of seconds since 1900-01-01 00:00 UTC, as 32 bits in network order. Over TCP it is
            sent at once; over UDP, in answer to any datagram but those that serve echo does not answer either.

            Try it:
              reactor serve time --listen 127.0.0.1:7037 --listen udp:127.0.0.1:7037
              nc 127.0.0.1 7037 | od -An -tu4 --endian=big
              echo | nc -u -w1 127.0.0.1 7037 | od -An -tu4 --endian=big
            """)

    @OptionGroup var server: ServerArguments

    func run() throws {
        try Service.run(
            server.targets().map { target in
                target.isDatagrams
                    ? Service(datagrams: "time", target) { DatagramTime() } : Service("time", target) { Time() }
            }, server.options)
    }
}

/// The Time Protocol over TCP (RFC 868): the server speaks first, and closes.
struct Time: ConnectionHandler {
    mutating func connected(on connection: inout Connection) {
        let answer = timeAnswer(connection.clock)
        connection.write(answer.span.bytes)
        connection.close()
    }

    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
}

/// The Time Protocol over UDP (RFC 868): an answer to each datagram, whatever it holds.
struct DatagramTime: DatagramHandler {
    mutating func received(_ payload: RawSpan, from origin: DatagramOrigin, on socket: inout DatagramSocket) {
        guard mayAnswer(origin, on: socket) else { return }
        let answer = timeAnswer(socket.clock)
        socket.send(answer.span.bytes, to: origin)
    }
}

/// RFC 868: seconds since 1900, which is 2,208,988,800 seconds before 1970. They pass 32 bits in 2036 and start again.
private func timeAnswer(_ clock: DriverClock) -> [4 of UInt8] {
    let seconds = UInt32(truncatingIfNeeded: clock.unixSeconds &+ 2_208_988_800)
    return [
        UInt8(seconds >> 24), UInt8(seconds >> 16 & 0xFF), UInt8(seconds >> 8 & 0xFF), UInt8(seconds & 0xFF),
    ]
}
