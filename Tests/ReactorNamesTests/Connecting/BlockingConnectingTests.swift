import ConnectionHandling
import Glibc
import Reactor
import ReactorDNS
import ReactorWire
import ServerArchitectures
import Synchronization
import TestSupport
import Testing

@testable import ReactorNames

/// Connecting by name on a thread that waits, and on a loop with a resolver of its own: against a name server of ours.
@Suite(.timeLimit(.minutes(40)), .serialized) struct BlockingConnectingTests {
    private struct Greeter: ConnectionHandler {
        mutating func connected(on connection: inout Connection) { connection.write("hello") }
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
    }

    /// `host.test` has these addresses; `six.test` has ::1 as well; whoever asks for another name hears nothing.
    private func nameServer(_ street: Street) throws -> ThreadedNameServer {
        let addresses = street.addresses.compactMap { IPAddress(parsing: $0.host) }
        return try ThreadedNameServer { query, _ in
            guard let question = query.questions.first else { return .nothing }
            var response = query.answered()
            switch ("\(question.name)", question.type) {
            case ("host.test.", .a), ("six.test.", .a), ("xn--bcher-kva.test.", .a):
                response.answers = addresses.map { ResourceRecord(name: question.name, timeToLive: 60, data: .address($0)) }
            case ("six.test.", .aaaa):
                response.answers = [ResourceRecord(name: question.name, timeToLive: 60, data: .address(.v6(high: 0, low: 1)))]
            case ("host.test.", _), ("xn--bcher-kva.test.", _): break
            case ("none.test.", _): response = query.denied(.nameError)
            default: return .nothing
            }
            return .message(response)
        }
    }

    private func client(
        _ host: String, _ street: Street, _ server: ThreadedNameServer, _ options: ConnectOptions = .default,
        _ change: (inout HappyEyeballsOptions) -> Void = { _ in }
    ) throws(ConnectByNameError) -> BlockingClient<Greeter> {
        var happyEyeballs = HappyEyeballsOptions()
        change(&happyEyeballs)
        var resolverOptions = ResolverOptions.isolated(servers: [server.address])
        resolverOptions.timeout = .seconds(2)
        guard let resolver = try? BlockingResolver(options: resolverOptions) else { throw ConnectByNameError(host: "no resolver", port: 0) }
        return try BlockingClient(
            connectingToHost: host, port: ServicePort(street.port), resolver: resolver, options: options, happyEyeballs: happyEyeballs
        ) { Greeter() }
    }

    @Test(arguments: ["host.test", "BÜCHER.test", "six.test", "127.0.0.3"])
    func aRefusalStartsTheNextAtOnce(_ host: String) throws {
        let street = try Street(.refuses, .serves)
        let server = try nameServer(street)
        let started = ContinuousClock.now
        var client = try client(host, street, server) { $0.attemptDelay = .seconds(9) }
        #expect(ContinuousClock.now - started < .seconds(8))
        let peer = client.withHandler { $1.peer }
        #expect(peer == street.addresses[1])
        #expect(server.counts.all == (host == "127.0.0.3" ? 0 : 2))
        client.close(.aborting)
        #expect(street.openAttempts(become: 0))
    }

    @Test func theSocketBlocks() throws {
        let street = try Street(.serves)
        let server = try nameServer(street)
        let resolver = try BlockingResolver(options: .isolated(servers: [server.address]))
        let connector = BlockingHostConnector(host: "host.test", port: street.port, resolver: resolver, .default, .default)
        let (number, address) = try connector.connect()
        let descriptor = Descriptor(owning: number)
        #expect(address == street.addresses[0])
        #expect(fcntl(descriptor.number, F_GETFL) & CInt(O_NONBLOCK) == 0)
    }

    @Test func whoNeverAnswersLosesToTheNext() throws {
        let street = try Street(.neverAnswers, .serves)
        let server = try nameServer(street)
        let started = ContinuousClock.now
        var client = try client("host.test", street, server)
        let time = ContinuousClock.now - started
        #expect(time >= .milliseconds(250) && time < .seconds(8), "\(time)")
        let peer = client.withHandler { $1.peer }
        #expect(peer == street.addresses[1])
        #expect(street.openAttempts(become: 1), "the loser is closed")
        client.close(.aborting)
    }

    @Test func theErrorHasEachAddress() throws {
        let street = try Street(.refuses, .neverAnswers, .refuses)
        let server = try nameServer(street)
        let error = #expect(throws: ConnectByNameError.self) {
            _ = try client("host.test", street, server, ConnectOptions(timeout: .milliseconds(100)))
        }
        #expect(error?.attempts.map(\.address) == street.addresses)
        #expect(error?.attempts.map(\.error.errno) == [ECONNREFUSED, ETIMEDOUT, ECONNREFUSED])
        #expect(street.openAttempts(become: 0))
    }

    @Test func aNameThatDoesNotExistSaysSo() throws {
        let street = try Street(.serves)
        let server = try nameServer(street)
        let error = #expect(throws: ConnectByNameError.self) { _ = try client("none.test", street, server) }
        #expect("\(error, default: "")" == "cannot connect to none.test:\(street.port): cannot look up none.test: there is no such name")
        let invalid = #expect(throws: ConnectByNameError.self) { _ = try client("a..b", street, server) }
        #expect(invalid?.ipv4Failure == .invalidName(name: "a..b", type: .a, .emptyLabel))
    }

    @Test func theTimeIsLimited() throws {
        let street = try Street(.neverAnswers)
        let server = try nameServer(street)
        for host in ["host.test", "silent.test"] {
            let started = ContinuousClock.now
            let error = #expect(throws: ConnectByNameError.self) {
                _ = try client(host, street, server) { $0.timeout = .milliseconds(100) }
            }
            let time = ContinuousClock.now - started
            #expect(time >= .milliseconds(100) && time < .seconds(8), "\(time)")
            #expect(error?.ranOutOfTime == true)
            #expect(street.openAttempts(become: 0))
        }
    }

    /// What was given up does not come back with the next look-up, and answers are kept.
    @Test func aResolverIsUsedAgain() throws {
        let street = try Street(.serves)
        let server = try nameServer(street)
        let resolver = try BlockingResolver(options: .isolated(servers: [server.address]))
        var quick = HappyEyeballsOptions()
        quick.timeout = .milliseconds(50)
        for _ in 0..<3 {
            #expect(throws: ConnectByNameError.self) {
                _ = try BlockingClient(
                    connectingToHost: "silent.test", port: ServicePort(street.port), resolver: resolver, happyEyeballs: quick
                ) { Greeter() }
            }
            var client = try BlockingClient(connectingToHost: "host.test", port: ServicePort(street.port), resolver: resolver) { Greeter() }
            client.close(.aborting)
        }
        #expect(resolver.statistics.cacheHits >= 2)
        #expect(try resolver.lookUp("host.test", .a).records.count == 1)
    }

    /// The loop's form, with the loop's resolver.
    @Test func aLoopConnectsByItsResolver() throws {
        let street = try Street(.refuses, .serves)
        let server = try nameServer(street)
        let loop = try EventLoop()
        defer { loop.close() }
        let resolver = try Resolver(loop: loop, options: .isolated(servers: [server.address]))
        var failures: [String] = []
        let connection = loop.connect(
            toHost: "six.test", port: ServicePort(street.port), resolver: resolver, onFailure: { failures.append("\($0)") }
        ) { Greeter() }
        let timer = loop.every(.milliseconds(1)) { if connection.isOpen || !failures.isEmpty { loop.stop() } }
        let limit = loop.after(.seconds(10)) { loop.stop() }
        loop.run()
        #expect(connection.withHandler { $1.peer } == street.addresses[1] && failures.isEmpty)
        connection.close(.aborting)
        loop.connect(toHost: "none.test", port: 80, resolver: resolver, onFailure: { failures.append("\($0)") }) { Greeter() }
        loop.run()
        timer.cancel()
        limit.cancel()
        #expect(failures == ["cannot connect to none.test:80: cannot look up none.test: there is no such name"])
    }
}
