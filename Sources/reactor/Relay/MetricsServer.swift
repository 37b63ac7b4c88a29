import ConnectionHandling
import Glibc
import Reactor
import ReactorHTTP
import ReactorMailQueue
import ReactorSMTP
import ReactorWeb
import ServerArchitectures

/// Answers GET /metrics for a relay, on a loop of its own: it answers however busy the relay is, and holds up no mail.
struct MetricsServer: Sendable {
    private let server: Server
    var address: SocketAddress { server.addresses[0] }

    /// - Parameter countsHere: sessions and deliveries are in this process, so that their counts are.
    /// - Throws: `SystemError` if the address cannot be listened on, `SpoolError`.
    init(_ relay: Relay, at address: SocketAddress, countsHere: Bool) throws {
        // A spool of its own: reading statistics of a long queue would keep the relay from reading messages.
        let spool = try Spool(existing: relay.server.store.directory)
        let source: @Sendable () -> RelayMetrics = {
            RelayMetrics(queue: try? spool.statistics(now: Int64(time(nil)), destinations: 1), counters: countsHere ? relay.tallies : nil)
        }
        var router = Router()
        router.get("/metrics") { MetricsAnswer(source: source) }
        let application = RoutedApplication(router)
        server = try Server(ServerOptions(), endpoints: [Endpoint(address) { HTTPServerHandler(application: application) }])
    }

    /// One serves, the other ends it: where processes are forked they share what stops it.
    var companions: [Companion] {
        [
            Companion { [server] _ in
                do { try server.run() } catch { printError("reactor: no metrics: \(error)") }
            },
            Companion { [server] stop in
                var entry = pollfd(fd: stop, events: Int16(POLLIN), revents: 0)
                while poll(&entry, 1, -1) <= 0 {}
                server.stop()
            },
        ]
    }
}

private struct MetricsAnswer: HTTPApplication {
    let source: @Sendable () -> RelayMetrics
    private var awaited: Awaited<RelayMetrics>?

    init(source: @escaping @Sendable () -> RelayMetrics) { self.source = source }

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        awaited = response.perform { [source] in source() }
    }

    mutating func answered(_ response: inout ResponseWriter) {
        guard case .success(let metrics)? = awaited?.take() else { return response.abort() }
        response.begin(.ok)
        response.field("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        response.field("Cache-Control", "no-store")
        response.end(Array(metrics.text.utf8).span.bytes)
    }
}
