import ConnectionHandling
import Foundation
import Glibc
import MailTestSupport
import Reactor
import ReactorHTTP
@testable import ReactorLoad
import ReactorRPC
import ReactorSMTP
import ReactorTLS
import TestSupport
import Testing

/// Loads on servers that behave, over sockets of 127.0.0.1.
@Suite(.timeLimit(.minutes(15)), .serialized) struct LoadTests {
    private struct EchoHandler: ConnectionHandler {
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
            connection.write(bytes)
            return bytes.byteCount
        }
    }

    private func expectGood(_ report: LoadReport, atLeast count: UInt64 = 10) {
        #expect(report.requests >= count)
        #expect(report.errors.all == 0, "\(report.errors)")
        #expect(report.latency.min > 0 && report.latency.min <= report.latency.p50 && report.latency.p50 <= report.latency.p99)
        #expect(report.latency.p99 <= report.latency.p99_9 && report.latency.p99_9 <= report.latency.max)
        #expect(report.fairness > 0 && report.fairness <= 1)
        #expect(report.timeline.reduce(0) { $0 + $1.answered } == report.requests)
        #expect(report.cpu.share > 0)
    }

    @Test(arguments: [1, 16]) func aClosedLoopKeepsEveryConnectionBusy(_ pipeline: Int) throws {
        let server = try serve { Answering() }
        let report = try load("http://\(server.place)/") { $0.pipeline = pipeline }
        expectGood(report)
        #expect(report.offeredRate == nil && report.sendLag == nil)
        #expect(report.bytesReceived >= report.requests * UInt64(Answering.ok.utf8.count))
        #expect(report.fairness > 0.3)
        server.thread.stop()
    }

    @Test(arguments: [LoadPlan.Arrivals.Spacing.uniform, .poisson]) func anOpenLoopSendsWhatIsDue(_ spacing: LoadPlan.Arrivals.Spacing) throws {
        let server = try serve { Answering() }
        let report = try load("http://\(server.place)/", seconds: 1) {
            $0.arrivals = .init(rate: 200)
            $0.arrivals?.spacing = spacing
            $0.warmUp = 0.3
            $0.ramp = 0.2
        }
        expectGood(report)
        if spacing == .uniform { #expect(report.dueRequests == 200) } else { #expect(abs(Int(report.dueRequests) - 200) < 90) }
        #expect(report.requests == report.dueRequests)
        #expect(report.sendLag.map { $0.p99 <= $0.max } == true)
        server.thread.stop()
    }

    @Test func aChangingRateIsSent() throws {
        let server = try serve { Answering() }
        let report = try load("http://\(server.place)/", seconds: 1) { $0.arrivals = .init(from: 100, to: 300) }
        #expect(report.dueRequests == 200)
        #expect(report.requests == 200, "\(report.errors)")
        server.thread.stop()
    }

    @Test func overloadIsReportedAndNotHidden() throws {
        // One connection, and answers that take 20 ms: fifty a second at most.
        let server = try serve { Late(after: .milliseconds(20)) }
        let report = try load("http://\(server.place)/", seconds: 1) {
            $0.connections = 1
            $0.arrivals = .init(rate: 400)
        }
        #expect(report.dueRequests == 400)
        #expect(report.requests <= 51)
        #expect(report.requests + report.errors[.unanswered] == 400, "\(report.errors)")
        // They had waited for the connection.
        #expect(report.latency.max > 300_000)
        server.thread.stop()
    }

    /// Answers later than it could.
    private struct Late: ConnectionHandler {
        let after: Duration
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
            connection.setDeadline(after: after)
            return bytes.byteCount
        }
        mutating func deadlineExpired(on connection: inout Connection) { connection.write(Answering.ok) }
    }

    /// The loop that serves blocks once, for half a second: an open loop sees all those who would have come meanwhile.
    @Test func aStallShowsInAnOpenLoop() throws {
        let server = try serve { Answering() }
        let stalling = try LoopThread { loop in
            let address = try loop.listen(on: .loopback(port: 0)) { Answering() }.address
            loop.after(.milliseconds(1_000)) { usleep(500_000) }
            return address
        }
        server.thread.stop()
        let report = try load("http://\(stalling.made)/", seconds: 2) {
            $0.arrivals = .init(rate: 500)
            $0.connections = 4
            $0.timeout = 30
        }
        #expect(report.dueRequests == 1_000)
        #expect(report.requests == 1_000, "\(report.errors)")
        // Of 1000, some 250 were due while it stalled: a loop that waits for answers would have seen 4.
        #expect(report.latency.max >= 400_000)
        #expect(report.latency.p99 >= 350_000)
        #expect(report.latency.p90 >= 150_000)
        stalling.stop()
    }

    // MARK: Connections

    @Test func aServerThatClosesAfterAnswersIsFollowed() throws {
        let server = try serve { Answering("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", most: 1) }
        expectGood(try load("http://\(server.place)/"))
        server.thread.stop()
        // Until the end of the connection, too.
        let old = try serve { Answering("HTTP/1.0 200 OK\r\n\r\nok", most: 1) }
        expectGood(try load("http://\(old.place)/"))
        old.thread.stop()
    }

    @Test(arguments: [nil, 100.0]) func eachRequestMayHaveItsConnection(_ rate: Double?) throws {
        let server = try serve { Answering() }
        let report = try load("http://\(server.place)/", seconds: 1) {
            $0.reconnects = true
            $0.arrivals = rate.map { .init(rate: $0) }
        }
        expectGood(report)
        if rate != nil { #expect(report.dueRequests == report.requests) }
        server.thread.stop()
    }

    @Test func connectionsRise() throws {
        let server = try serve { Answering() }
        expectGood(try load("http://\(server.place)/") {
            $0.ramp = 0.3
            $0.connections = 16
        })
        server.thread.stop()
    }

    @Test func idleConnectionsStay() throws {
        let thread = try LoopThread { loop in (try loop.listen(on: .loopback(port: 0)) { Answering() }.address, loop.handle) }
        let (address, _) = thread.made
        let report = try load("http://\(address)/") { $0.idle = 50 }
        expectGood(report)
        #expect(report.idleConnections == 50)
        #expect(!report.doubts.contains { $0.contains("idle") }, "\(report.doubts)")
        thread.stop()
        // A server that closes them is noticed.
        let closing = try serve { Answering(most: 1) }
        let lost = try load("http://\(closing.place)/") { $0.idle = 5 }
        #expect(!lost.isVouched && lost.doubts.contains { $0.contains("idle") }, "\(lost.doubts)")
        closing.thread.stop()
    }

    @Test func manyConnectionsComeFromManyAddresses() throws {
        let plan = try shortPlan("http://127.0.0.1:1/") { $0.connections = 4_001 }
        let loop = try EventLoop()
        let run = try LoadRun(plan, to: .loopback(port: 1), tls: nil, on: loop)
        let addresses = (0..<4_001).map { run.connectOptions(for: $0).localAddress }
        #expect(Set(addresses).count == 3)
        #expect(addresses.first == .ipv4(0x7F00_0002, port: 0))
        loop.close()
        run.connections = []
    }

    // MARK: Protocols

    @Test(arguments: [1, 8]) func echo(_ pipeline: Int) throws {
        let server = try serve { EchoHandler() }
        expectGood(try load("echo://\(server.place)") { $0.pipeline = pipeline })
        expectGood(try load("echo://\(server.place)") { ($0.pipeline, $0.size, $0.connections) = (pipeline, 300_000, 2) }, atLeast: 1)
        server.thread.stop()
    }

    @Test func jsonRPC() throws {
        let server = try serve { HTTPServerHandler(application: RPCApplication(methods: .samples)) }
        expectGood(try load("rpc+http://\(server.place)"))
        expectGood(try load("rpc+http://\(server.place)/rpc") { ($0.call, $0.parameters) = ("echo", #"["x"]"#) })
        let missing = try load("rpc+http://\(server.place)") { $0.call = "nosuch" }
        #expect(missing.requests == 0 && missing.errors[.status] == missing.errors.all && missing.errors.all > 0, "\(missing.errors)")
        server.thread.stop()
    }

    @Test func smtp() throws {
        let store = MemoryStore()
        let server = try serve { SMTPServerHandler(SMTPServer(hostname: "mx.test", store: store, logger: quietLogger)) }
        let report = try load("smtp://\(server.place)") { $0.size = 1_000 }
        expectGood(report)
        // Those that were on their way at the end, too.
        #expect(store.messages.count >= Int(report.requests))
        #expect(store.messages.allSatisfy { $0.envelope.recipients.map(\.address) == ["load@example.invalid"] })
        server.thread.stop()
    }

    @Test func underTLS() throws {
        let identity = try TLSIdentity.selfSigned(hosts: ["localhost", "127.0.0.1"])
        let context = try TLSServerContext(TLSServerConfiguration(identities: [identity]))
        let web = try serve { TLSHandler(context) { _ in Answering() } }
        let echo = try serve { TLSHandler(context) { _ in EchoHandler() } }
        for url in ["https://\(web.place)/", "echo+tls://\(echo.place)"] {
            expectGood(try load(url) { $0.tls.trust = .authorities(identity.certificates) })
            expectGood(try load(url) { ($0.tls.acceptsAnyCertificate, $0.reconnects) = (true, true) }, atLeast: 1)
            let failure = #expect(throws: LoadFailure.self) { try load(url) }
            #expect(failure?.description.contains("certificate") == true, "\(failure?.description ?? "")")
        }
        for server in [web, echo] { server.thread.stop() }
    }

    @Test func aBodyIsSent() throws {
        let server = try serve { HTTPServerHandler(application: Sink()) }
        let report = try load("http://\(server.place)/") {
            $0.method = "POST"
            $0.body = [UInt8](repeating: 7, count: 300_000)
            $0.connections = 2
        }
        expectGood(report, atLeast: 1)
        server.thread.stop()
    }

    private struct Sink: HTTPApplication {
        mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
            if request.body.byteCount == 300_000 { response.sendStatus(.ok) } else { response.sendStatus(.badRequest) }
        }
    }

    // MARK: The report

    @Test func theReportIsOneObjectWithItsKeys() throws {
        let server = try serve { Answering() }
        for rate in [nil, 100.0] {
            let report = try load("http://\(server.place)/") { $0.arrivals = rate.map { .init(rate: $0) } }
            #expect(!report.json.contains("\n"))
            let object = try #require(JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])
            #expect(
                Set(object.keys) == [
                    "url", "mode", "connections", "idle_connections", "duration_seconds", "offered_rate", "achieved_rate", "requests",
                    "bytes_received", "errors", "latency_us", "percentiles", "fairness", "timeline", "load_cpu", "send_lag_us",
                    "interrupted", "vouched", "doubts",
                ])
            #expect(object["mode"] as? String == (rate == nil ? "closed" : "open"))
            #expect((object["offered_rate"] is NSNull) == (rate == nil))
            #expect((object["send_lag_us"] is NSNull) == (rate == nil))
            #expect(object["requests"] as? UInt64 == report.requests)
            #expect((object["errors"] as? [String: Int])?.keys.sorted() == ["closed", "connect", "protocol", "status", "timeout", "unanswered"])
            #expect(
                (object["latency_us"] as? [String: Double])?.keys.sorted() == ["max", "mean", "min", "p50", "p90", "p99", "p99_9"])
            #expect((object["load_cpu"] as? [String: Double])?.keys.contains("share") == true)
            #expect((object["percentiles"] as? [[Double]])?.count == report.percentiles.count)
            #expect((object["timeline"] as? [[Double]])?.allSatisfy { $0.count == 5 } == true)
        }
        server.thread.stop()
    }

    @Test func momentsAreTold() throws {
        let server = try serve { Answering() }
        var moments: [LoadMoment] = []
        let plan = try shortPlan("http://\(server.place)/", seconds: 2.2) { $0.warmUp = 0.1 }
        let report = try Load(plan).run { moments.append($0) }
        #expect(moments.first?.isWarmingUp == true)
        #expect(moments.last?.isWarmingUp == false && moments.last?.secondsLeft == 0)
        #expect((2...4).contains(moments.count))
        #expect((2...3).contains(report.timeline.count))
        server.thread.stop()
    }
}
