import ConnectionHandling
import Foundation
import Reactor
import ReactorDNS
import ReactorNames
import Synchronization
import TestSupport
import Testing

/// A loop with a name server of ours and a resolver that asks it, and nothing of the machine's configuration.
final class Bench {
    let loop: EventLoop
    let server: NameServer
    private(set) var resolver: Resolver?

    init(
        _ change: (inout ResolverOptions) -> Void = { _ in }, answer: @escaping NameServer.Answering
    ) throws {
        loop = try EventLoop()
        server = try NameServer(on: loop, answer: answer)
        var options = ResolverOptions.isolated(servers: [server.address])
        change(&options)
        resolver = try Resolver(loop: loop, options: options)
    }

    // What was cancelled between two runs holds the loop until it is closed.
    deinit { loop.close() }

    func dropResolver() { resolver = nil }

    /// Runs the loop until `condition` holds, for ten seconds at most.
    func run(until condition: @escaping () -> Bool) {
        let check = loop.every(.milliseconds(1)) { [loop] in if condition() { loop.stop() } }
        let limit = loop.after(.seconds(10)) { [loop] in loop.stop() }
        loop.run()
        check.cancel()
        limit.cancel()
    }

    /// What a look-up gives.
    func ask(_ name: String, _ type: RecordType = .a) throws -> Result<Answer, ResolutionError> {
        var result: Result<Answer, ResolutionError>?
        let loop = loop
        try #require(resolver).lookUp(name, type) {
            result = $0
            loop.stop()
        }
        #expect(result == nil)
        let limit = loop.after(.seconds(10)) { loop.stop() }
        loop.run()
        limit.cancel()
        return try #require(result)
    }

    /// The data of the records that a look-up gives.
    func data(_ name: String, _ type: RecordType = .a) throws -> [String] {
        try ask(name, type).get().records.map { "\($0.data)" }
    }

    func error(_ name: String, _ type: RecordType = .a) throws -> ResolutionError? {
        if case .failure(let error) = try ask(name, type) { error } else { nil }
    }
}

extension ResolverOptions {
    /// Nothing of this machine. Tests that wait for a time-out have a shorter one.
    static func isolated(servers: [SocketAddress]) -> ResolverOptions {
        var options = ResolverOptions(servers: servers)
        options.configurationFile = "/dev/null"
        options.hostsFile = nil
        options.searchDomains = []
        options.timeout = .seconds(5)
        return options
    }
}

extension RecordData {
    static func a(_ last: UInt8) -> RecordData { .address(.v4(0xC000_0200 | UInt32(last))) }
}

func name(_ text: String) -> DomainName { (try? DomainName(parsing: text)) ?? .root }

/// Counts calls, from any thread.
final class NameServerCountdown: Sendable {
    private let calls = Mutex(0)
    private let limit: Int
    init(_ limit: Int) { self.limit = limit }
    /// This is a later call than the first so many.
    func isOver() -> Bool {
        calls.withLock {
            $0 += 1
            return $0 > limit
        }
    }
}

/// What a server was asked, in order.
final class Seen: Sendable {
    private let state = Mutex((names: [String](), ids: [UInt16]()))
    var names: [String] { state.withLock { $0.names } }
    var ids: [UInt16] { state.withLock { $0.ids } }
    func add(_ name: String) { state.withLock { $0.names.append(name) } }
    func add(_ id: UInt16) { state.withLock { $0.ids.append(id) } }
}
