import ConnectionHandling
import DequeModule
import Glibc
import Reactor
import ReactorDNS

/// What resolves names, without waiting: ``Resolver`` and ``BlockingResolver`` watch its sockets, tell it the time, and tell
/// those who asked what has ended.
final class ResolverCore {
    private let options: ResolverOptions
    private var servers: NameServers
    private var hosts: HostsFile
    private var cache: AnswerCache
    private(set) var statistics = ResolverStatistics()
    /// Results that are still to be told, in their order.
    private var finished: Deque<(Lookup, Result<Answer, ResolutionError>)> = []

    private var queries: [DNSMessage.Question: Query] = [:]
    /// Queries that wait for others to come back: as many as may be are under way.
    private var waiting: Deque<Query> = []
    private var outstanding = 0
    private var isSending = false
    private var lookupsUnderWay = 0
    /// Those that asked a server, by their deadlines; some have ended.
    private var deadlines: Deque<Lookup> = []
    private let sockets: SocketTable
    private var now = MonotonicTime(nanoseconds: 0)
    private var isClosed = false

    /// - Parameter interest: a socket is to be watched for reading and writing; for neither, before it is closed.
    init(
        options: ResolverOptions, interest: @escaping (CInt, _ readable: Bool, _ writable: Bool) -> Void
    ) throws(SystemError) {
        self.options = options
        let sockets = SocketTable()
        self.sockets = sockets
        servers = try NameServers(options: options) { socket, readable, writable, channel in
            sockets.channels[socket] = readable || writable ? channel : nil
            interest(socket, readable, writable)
        }
        hosts = HostsFile(path: options.hostsFile)
        cache = AnswerCache(options: options)
    }

    /// Which server each socket leads to.
    private final class SocketTable {
        var channels: [CInt: AresChannel] = [:]
    }

    // MARK: What the driver reports

    func start(
        _ name: String, _ type: RecordType, at now: MonotonicTime,
        completion: @escaping (Result<Answer, ResolutionError>) -> Void
    ) -> Lookup {
        self.now = now
        statistics.lookups &+= 1
        let lookup = Lookup(name, type, deadline: now.advanced(by: options.deadline), core: self, completion: completion)
        lookupsUnderWay += 1
        if isClosed {
            fail(lookup, .system(name: name, type: type, SystemError("use a resolver that was closed", errno: ECANCELED)))
        } else if lookupsUnderWay > options.maxConcurrent {
            fail(lookup, .tooManyLookups(name: name, type: type))
        } else {
            if servers.refresh(at: now) { cache.removeAll() }
            hosts.refresh(at: now)
            begin(lookup)
        }
        return lookup
    }

    /// A socket can be read from, or written to.
    func ready(_ socket: CInt, readable: Bool, writable: Bool, at now: MonotonicTime) {
        self.now = now
        sockets.channels[socket]?.process(socket, readable: readable, writable: writable)
    }

    /// Time has passed.
    func expire(at now: MonotonicTime) {
        self.now = now
        for channel in servers.all { channel.expire() }
        while let first = deadlines.first, !first.isWaiting || first.deadline <= now {
            deadlines.removeFirst()
            if first.isWaiting { fail(first, .timedOut(name: first.name, type: first.type)) }
        }
    }

    /// When to call ``expire(at:)`` at the latest.
    func nextExpiry(at now: MonotonicTime) -> MonotonicTime? {
        let expiries = servers.all.compactMap { $0.timeToExpiry.map { now.advanced(by: $0) } }
        return (expiries + (deadlines.first.map { [$0.deadline] } ?? [])).min()
    }

    /// The soonest that a query sent now is given up.
    func soonestExpiry(at now: MonotonicTime) -> MonotonicTime { now.advanced(by: min(options.timeout, options.deadline)) }

    var isIdle: Bool { outstanding == 0 && lookupsUnderWay == 0 }

    var hasFinished: Bool { !finished.isEmpty }

    /// Tells what has ended. A completion may do anything: close this, which ends the rest, or look up more, which is told the
    /// next time. Not from within a call of c-ares.
    func deliver() {
        for _ in 0..<finished.count {
            guard let (lookup, result) = finished.popFirst() else { return }
            lookup.complete(result)
        }
    }

    func lookupEnded() { lookupsUnderWay -= 1 }

    /// Not from within one of its calls. Its look-ups are never told.
    func close() {
        isClosed = true
        for channel in servers.all { channel.close() }
        let lookups = queries.values.flatMap(\.lookups) + finished.map(\.0)
        queries = [:]
        waiting = []
        deadlines = []
        finished = []
        outstanding = 0
        // Last: what goes with a completion may look up more, and is told that this was closed.
        for lookup in lookups { lookup.cancel() }
    }

    // MARK: Look-ups

    private func begin(_ lookup: Lookup) {
        let isLiteral = IPAddress(parsing: lookup.name)
        do throws(DomainNameError) {
            let reverse = lookup.type == .ptr ? isLiteral?.reverseName : nil
            let text = try InternationalName.asciiForm(of: lookup.name)
            let name = if let reverse { reverse } else { try DomainName(parsing: text) }
            if let literal = isLiteral, reverse == nil {
                return take(LocalNames.resolution(of: literal, named: name, lookup.type), for: lookup)
            }
            let question = DNSMessage.Question(name: name, type: lookup.type)
            if let known = hosts.records(for: question) ?? LocalNames.resolution(of: question) ?? hosts.absence(for: question) {
                return take(known, for: lookup)
            }
            let isAbsolute = reverse != nil || SearchList.isAbsolute(text)
            lookup.candidates = servers.searchList.candidates(for: name, isAbsolute: isAbsolute)[...]
            tryNext(lookup)
        } catch {
            fail(lookup, .invalidName(name: lookup.name, type: lookup.type, error))
        }
    }

    private func tryNext(_ lookup: Lookup) {
        guard let name = lookup.candidates.popFirst() else {
            let (name, type) = (lookup.name, lookup.type)
            return fail(lookup, lookup.sawNoData ? .noData(name: name, type: type) : .nameDoesNotExist(name: name, type: type))
        }
        let question = DNSMessage.Question(name: name, type: lookup.type)
        if let known = cache.find(question, at: now) {
            statistics.cacheHits &+= 1
            return take(known, for: lookup)
        }
        note(lookup)
        if let query = queries[question] {
            statistics.joined &+= 1
            return query.join(lookup)
        }
        let query = Query(question, servers: servers.channels, tries: options.tries)
        query.join(lookup)
        queries[question] = query
        waiting.append(query)
        sendWaiting()
    }

    /// Those that have ended are taken out when they are many, so that one that waits long does not keep the others.
    private func note(_ lookup: Lookup) {
        if lookup.isNoted { return }
        lookup.isNoted = true
        if deadlines.count > 64 + 2 * lookupsUnderWay { deadlines.removeAll { !$0.isWaiting } }
        deadlines.append(lookup)
    }

    private func take(_ resolution: Resolution, for lookup: Lookup) {
        switch resolution {
        case .records(let records, let canonicalName, let timeToLive):
            finish(lookup, .success(Answer(records: records, canonicalName: canonicalName, timeToLive: timeToLive)))
        case .noData:
            lookup.sawNoData = true
            tryNext(lookup)
        case .nameDoesNotExist:
            tryNext(lookup)
        case .failure(.refused):
            fail(lookup, .refused(name: lookup.name, type: lookup.type))
        case .failure:
            fail(lookup, .serverFailure(name: lookup.name, type: lookup.type))
        }
    }

    private func fail(_ lookup: Lookup, _ error: ResolutionError) {
        statistics.failures &+= 1
        finish(lookup, .failure(error))
    }

    private func finish(_ lookup: Lookup, _ result: Result<Answer, ResolutionError>) {
        lookup.settle()
        lookupEnded()
        finished.append((lookup, result))
    }

    // MARK: Queries

    /// Within c-ares' own calls as well: it closes its socket when the last answer has come and nothing else was asked.
    private func sendWaiting() {
        // What fails at once comes by here again: one loop for all, so that the stack does not grow with them.
        if isSending { return }
        isSending = true
        defer { isSending = false }
        while outstanding < max(1, options.maxOutstanding), let query = waiting.popFirst() {
            outstanding += 1
            send(query)
        }
    }

    /// Asks the next server. Each query that is under way ends here or in ``took(_:_:)``.
    private func send(_ query: Query) {
        guard query.isWanted, let server = query.nextServer() else {
            return end(query) { $0.fail($1, Self.error(query.failure ?? .unreachable, $1)) }
        }
        statistics.queries &+= 1
        server.send(query.question) { [unowned self] reply in received(reply, from: server, to: query) }
    }

    private func received(_ reply: Reply, from server: AresChannel, to query: Query) {
        switch reply {
        case .timedOut: query.failed(.timedOut, at: server)
        case .unreachable: query.failed(.unreachable, at: server)
        case .outOfMemory: query.failed(.outOfMemory, at: server)
        case .malformed(let violation): query.failed(.malformed(violation), at: server)
        case .message(let message):
            do throws(DNSViolation) {
                let resolution = try message.resolution(of: query.question)
                guard case .failure(let code) = resolution else {
                    cache.store(resolution, for: query.question, at: now)
                    return end(query) { $0.take(resolution, for: $1) }
                }
                if code == .formatError, server.usesEDNS {
                    // c-ares has given EDNS up after another query; this one was on its way.
                    server.usesEDNS = false
                    query.askAgain(server)
                } else {
                    query.failed(code == .refused ? .refused : .serverFailure, at: server)
                }
            } catch {
                query.failed(.malformed(error), at: server)
            }
        }
        send(query)
    }

    private func end(_ query: Query, _ body: (ResolverCore, Lookup) -> Void) {
        outstanding -= 1
        queries[query.question] = nil
        for lookup in query.lookups where lookup.isWaiting { body(self, lookup) }
        sendWaiting()
    }

    private static func error(_ failure: Query.Failure, _ lookup: Lookup) -> ResolutionError {
        let (name, type) = (lookup.name, lookup.type)
        switch failure {
        case .outOfMemory: return .system(name: name, type: type, SystemError("ask a name server", errno: ENOMEM))
        case .unreachable: return .unreachable(name: name, type: type)
        case .timedOut: return .timedOut(name: name, type: type)
        case .serverFailure: return .serverFailure(name: name, type: type)
        case .refused: return .refused(name: name, type: type)
        case .malformed(let violation): return .malformedAnswer(name: name, type: type, violation)
        }
    }
}
