import ArgumentParser
import ConnectionHandling
import Reactor
import ServerArchitectures

struct ServeEcho: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo",
        abstract: "Sends back what it receives, over TCP and UDP (RFC 862).",
        discussion: """
            A datagram is not answered if it comes from a port below 1024 or from the port that echo itself has here, or
            was sent to a group or by broadcast: two such servers would answer each other for ever, and many would
            answer one forged request.

            Try it:
              reactor serve echo --listen 127.0.0.1:7007 --listen udp:127.0.0.1:7007
              nc 127.0.0.1 7007
              nc -u 127.0.0.1 7007
            """)

    @OptionGroup var server: ServerArguments
    @OptionGroup var tls: TLSArguments

    @Option(
        help: ArgumentHelp(
            "Datagrams received or sent with one call, from 1 to 64. 1 also leaves them uncut and unjoined: to compare.",
            valueName: "count"))
    var datagramBatch: Int?

    func validate() throws {
        if let datagramBatch, !(1...64).contains(datagramBatch) {
            throw ValidationError("--datagram-batch must be from 1 to 64")
        }
    }

    func run() throws {
        let batch = datagramBatch
        try Service.run(
            server.targets(under: tls.context()).map { $0.isDatagrams ? datagramEcho($0, batch: batch) : echo($0) }, server.options)
    }
}

func echo(_ target: ListenTarget) -> Service { Service("echo", target) { Echo() } }

private func datagramEcho(_ target: ListenTarget, batch: Int?) -> Service {
    var limits = DatagramLimits()
    if let batch { limits.batch = batch }
    return Service(datagrams: "echo", target, limits: limits, offload: batch != 1) { DatagramEcho() }
}

/// The Echo Protocol (RFC 862): the smallest handler there is.
struct Echo: ConnectionHandler {
    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        connection.write(bytes)
        return bytes.byteCount
    }
}

/// The Echo Protocol by datagrams (RFC 862).
struct DatagramEcho: DatagramHandler {
    mutating func received(_ payload: RawSpan, from origin: DatagramOrigin, on socket: inout DatagramSocket) {
        if mayAnswer(origin, on: socket) { socket.send(payload, to: origin) }
    }
}

/// Whether a service that answers every datagram should answer this one.
///
/// A request with the address of such a service as its forged source would have the two answer each other for ever
/// (CERT CA-1996-01). So inetd and xinetd do not answer privileged ports, where the small services are; here they may
/// have others, so our own port counts too. And one datagram to a group must not be answered by all of it.
func mayAnswer(_ origin: DatagramOrigin, on socket: borrowing DatagramSocket) -> Bool {
    guard origin.isUnicast else { return false }
    guard let port = origin.peerPort else { return true }
    return port >= 1_024 && port != socket.localAddress.port
}
