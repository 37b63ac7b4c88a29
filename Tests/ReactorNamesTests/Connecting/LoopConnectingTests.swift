import ConnectionHandling
import Glibc
import Reactor
import ReactorDNS
import ReactorWire
import TestSupport
import Testing

@testable import ReactorNames

/// Connecting by name on a loop: real sockets, and answers that come when the test says.
@Suite(.timeLimit(.minutes(40)), .serialized) struct LoopConnectingTests {
    private struct Client: ConnectionHandler {
        /// Weak: the scene has the loop, which has this.
        weak var scene: Scene?
        mutating func connected(on connection: inout Connection) { scene?.peer = connection.peer }
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
        mutating func closed(_ reason: CloseReason) { scene?.closed = reason }
    }

    /// What happens to one connection.
    private final class Scene {
        let loop: EventLoop
        var peer: SocketAddress?
        var closed: CloseReason?
        var error: ConnectByNameError?
        var asked: [String] = []
        var cancelled = 0
        private(set) weak var connection: LoopConnection<Client>?

        init() throws { loop = try EventLoop() }
        deinit { loop.close() }

        /// Answers, after so long; nil: never.
        struct Answering {
            var aaaa: (Duration, Result<[ResourceRecord], ResolutionError>)?
            var a: (Duration, Result<[ResourceRecord], ResolutionError>)?
        }

        @discardableResult
        func connect(
            _ host: String = "host.test", port: UInt16, _ answering: Answering, limits: ConnectionLimits = .default,
            _ options: ConnectOptions = .default, _ happyEyeballs: HappyEyeballsOptions = .default
        ) -> LoopConnection<Client> {
            let made = loop.connect(
                toHost: host, port: ServicePort(port), limits: limits, options: options, happyEyeballs: happyEyeballs,
                ask: { [unowned self] in ask($0, $1, answering, $2) }, onFailure: { [unowned self] in error = $0 },
                makeHandler: { [unowned self] in Client(scene: self) })
            connection = made
            return made
        }

        private func ask(
            _ host: String, _ type: RecordType, _ answering: Answering,
            _ completion: @escaping (Result<Answer, ResolutionError>) -> Void
        ) -> () -> Void {
            asked.append("\(host) \(type)")
            var timer: Watcher?
            if let (delay, result) = type == .aaaa ? answering.aaaa : answering.a {
                timer = loop.after(delay) {
                    completion(result.map { Answer(records: $0, canonicalName: .root, timeToLive: 1) })
                }
            }
            return { [weak self] in
                self?.cancelled += 1
                timer?.cancel()
            }
        }

        func run(until condition: @escaping () -> Bool) {
            let timer = loop.every(.milliseconds(1)) { [unowned loop] in if condition() { loop.stop() } }
            let limit = loop.after(.seconds(10)) { [unowned loop] in loop.stop() }
            loop.run()
            timer.cancel()
            limit.cancel()
        }

        func run(for time: Duration) {
            loop.after(time) { [unowned loop] in loop.stop() }
            loop.run()
        }

        func runToEnd() { run { [unowned self] in peer != nil || error != nil } }
    }

    private static let none = ResolutionError.noData(name: "host.test", type: .aaaa)

    private func ipv4Only(_ street: Street) -> Scene.Answering {
        .init(aaaa: (.zero, .failure(Self.none)), a: (.zero, .success(street.records())))
    }

    @Test func aRefusalStartsTheNextAtOnce() throws {
        let street = try Street(.refuses, .serves)
        let scene = try Scene()
        var options = HappyEyeballsOptions()
        options.attemptDelay = .seconds(9)
        let started = ContinuousClock.now
        let connection = scene.connect(port: street.port, ipv4Only(street), .default, options)
        #expect(!connection.isOpen && scene.asked.isEmpty, "nothing begins before the caller has its connection")
        scene.runToEnd()
        #expect(ContinuousClock.now - started < .seconds(8))
        #expect(scene.asked == ["host.test AAAA", "host.test A"])
        #expect(scene.peer == street.addresses[1])
        #expect(connection.isOpen)
        connection.close()
        #expect(scene.closed == .finished && street.openAttempts(become: 0))
    }

    @Test func whoNeverAnswersLosesToTheNext() throws {
        let street = try Street(.neverAnswers, .serves)
        let scene = try Scene()
        let started = ContinuousClock.now
        let connection = scene.connect(port: street.port, ipv4Only(street))
        scene.run { street.openAttempts == 1 }
        scene.runToEnd()
        let time = ContinuousClock.now - started
        #expect(time >= .milliseconds(250) && time < .seconds(8), "\(time)")
        #expect(scene.peer == street.addresses[1])
        #expect(street.openAttempts(become: 1), "the loser is closed")
        connection.close()
    }

    @Test func anAnswerWaitsForTheOther() throws {
        let street = try Street(.serves)
        let scene = try Scene()
        var options = HappyEyeballsOptions()
        options.resolutionDelay = .milliseconds(200)
        let started = ContinuousClock.now
        scene.connect(port: street.port, .init(aaaa: nil, a: (.zero, .success(street.records()))), .default, options)
        scene.runToEnd()
        #expect(ContinuousClock.now - started >= .milliseconds(200))
        #expect(scene.peer == street.addresses[0] && scene.cancelled > 0, "the question that was open is given up")
    }

    @Test func theErrorHasEachAddress() throws {
        let street = try Street(.refuses, .neverAnswers, .refuses)
        let scene = try Scene()
        var options = ConnectOptions()
        options.timeout = .milliseconds(100)
        let connection = scene.connect(port: street.port, ipv4Only(street), options)
        scene.runToEnd()
        let error = try #require(scene.error)
        #expect(error.attempts.map(\.address) == street.addresses)
        #expect(error.attempts.map(\.error.errno) == [ECONNREFUSED, ETIMEDOUT, ECONNREFUSED])
        #expect("\(error)".hasPrefix("cannot connect to host.test:\(street.port): 127.0.0.2:\(street.port): Connection refused; 127.0.0.3:"))
        #expect(!connection.isOpen && street.openAttempts(become: 0))
        connection.close()
    }

    @Test func aNameWithoutAnswersSaysWhy() throws {
        let scene = try Scene()
        func no(_ type: RecordType) -> Result<[ResourceRecord], ResolutionError> { .failure(.nameDoesNotExist(name: "host.test", type: type)) }
        scene.connect(port: 80, .init(aaaa: (.zero, no(.aaaa)), a: (.zero, no(.a))))
        scene.runToEnd()
        #expect("\(scene.error, default: "")" == "cannot connect to host.test:80: cannot look up host.test: there is no such name")
    }

    @Test func theTimeIsLimited() throws {
        let street = try Street(.neverAnswers)
        for answering in [ipv4Only(street), .init()] {
            let scene = try Scene()
            var options = HappyEyeballsOptions()
            options.timeout = .milliseconds(50)
            scene.connect(port: street.port, answering, .default, options)
            scene.runToEnd()
            #expect(scene.error?.ranOutOfTime == true)
            #expect(scene.error?.attempts.map(\.error.errno) == (answering.a == nil ? [] : [ETIMEDOUT]))
            #expect(street.openAttempts(become: 0))
        }
    }

    @Test(arguments: ["127.0.0.2", "::1", "[::1]"])
    func literalsAreNotLookedUp(_ host: String) throws {
        let scene = try Scene()
        let address = try #require(SocketAddress(literalHost: host, port: 0))
        let listener = try scene.loop.listen(on: address) { Client(scene: scene) }
        let connection = scene.connect(host, port: listener.address.port ?? 0, .init())
        scene.run { connection.isOpen }
        #expect(scene.asked.isEmpty)
        #expect(connection.withHandler { $1.peer } == listener.address)
        connection.close()
        listener.stop()
        scene.connect(host, port: listener.address.port ?? 0, .init())
        scene.run { scene.error != nil }
        #expect(scene.error?.attempts.map(\.error.errno) == [ECONNREFUSED])
    }

    /// The family that cannot be reached from there is not even asked for.
    @Test func whereItConnectsFromDecidesTheFamily() throws {
        let street = try Street(.serves)
        let scene = try Scene()
        var options = ConnectOptions()
        options.localAddress = .ipv4(0x7F00_0009, port: 0)
        let connection = scene.connect(port: street.port, .init(aaaa: nil, a: (.zero, .success(street.records()))), options)
        scene.runToEnd()
        #expect(scene.asked == ["host.test A"])
        #expect(connection.withHandler { $1.localAddress.host } == "127.0.0.9")
        connection.close()
    }

    // MARK: Giving up

    enum Moment: CaseIterable { case atOnce, resolving, delayed, connecting, racing }

    /// Closed in each state, it leaves no descriptor, no question, and nobody is told.
    @Test(arguments: Moment.allCases, [false, true])
    func closingLeavesNothing(_ moment: Moment, byTheLoop: Bool) throws {
        let street = try Street(.neverAnswers, .neverAnswers, .neverAnswers)
        let scene = try Scene()
        var answering = Scene.Answering(aaaa: (.zero, .failure(Self.none)), a: (.zero, .success(street.records())))
        if moment == .resolving { answering = .init() }
        if moment == .delayed { answering.aaaa = nil }
        var options = HappyEyeballsOptions()
        options.attemptDelay = moment == .racing ? .milliseconds(10) : .seconds(60)
        options.resolutionDelay = .seconds(60)
        weak var gone: LoopConnection<Client>?
        do {
            let connection = scene.connect(port: street.port, answering, .default, options)
            gone = connection
            switch moment {
            case .atOnce: break
            case .resolving: scene.run { scene.asked.count == 2 }
            case .delayed: scene.run(for: .milliseconds(30))
            case .connecting: scene.run { street.openAttempts == 1 }
            case .racing: scene.run { street.openAttempts == 3 }
            }
            if byTheLoop { scene.loop.close() } else { connection.close() }
        }
        #expect(street.openAttempts(become: 0))
        if !byTheLoop {
            scene.run(for: .milliseconds(30))
            #expect(scene.cancelled == scene.asked.count)
            #expect(street.openAttempts(become: 0))
        }
        #expect(scene.error == nil && scene.peer == nil && scene.closed == nil)
        #expect(gone == nil, "nothing keeps it")
    }

    @Test func anAnswerToAConnectionThatWasClosedIsNothing() throws {
        let street = try Street(.serves)
        let scene = try Scene()
        let connection = scene.connect(port: street.port, ipv4Only(street))
        scene.loop.after(.zero) { connection.close() }
        scene.run(for: .milliseconds(50))
        #expect(scene.peer == nil && scene.error == nil && street.openAttempts(become: 0))
    }

    /// The handler's maker closes what it is made for.
    @Test func closedByWhoMakesTheHandler() throws {
        let street = try Street(.serves)
        let scene = try Scene()
        let box = Box()
        box.connection = scene.loop.connect(
            toHost: "127.0.0.2", port: ServicePort(street.port), limits: .default, options: .default, happyEyeballs: .default,
            ask: { _, _, _ in {} }, onFailure: { _ in }
        ) {
            box.connection?.close()
            return Client(scene: scene)
        }
        scene.run { scene.closed != nil }
        #expect(scene.closed == .finished && street.openAttempts(become: 0))
    }

    private final class Box { var connection: LoopConnection<Client>? }
}
