import ConnectionHandling
import Glibc
import Reactor
import ReactorDNS

/// Performs on the calling thread what ``HappyEyeballs`` decides: it waits for the look-ups and for all attempts at once.
struct BlockingHostConnector: ~Copyable {
    private final class Attempt {
        var socket: ConnectingSocket?
        let address: SocketAddress
        /// When it is given up by itself (``ConnectOptions/timeout``).
        let end: MonotonicTime

        init(_ address: SocketAddress, _ options: ConnectOptions) throws(SystemError) {
            self.address = address
            end = BlockingResolver.now.advanced(by: options.timeout)
            let made = try ConnectingSocket(address, options)
            let error = made.connect()
            if error != 0 && error != EINPROGRESS && error != EINTR { throw failure(error) }
            socket = consume made
        }

        func failure(_ error: CInt) -> SystemError {
            SystemError(ConnectingSocket.operation(address), errno: error, address: address)
        }
    }

    /// Answers that have come.
    private final class Inbox {
        var answers: [(HappyEyeballs.Family, Result<Answer, ResolutionError>)] = []
    }

    private let host: String
    private let connectOptions: ConnectOptions
    private let resolver: BlockingResolver
    private var machine: HappyEyeballs
    private var attempts: [Int: Attempt] = [:]
    private let inbox = Inbox()

    init(
        host: String, port: UInt16, resolver: BlockingResolver, _ connectOptions: ConnectOptions, _ options: HappyEyeballsOptions
    ) {
        self.host = host
        self.resolver = resolver
        self.connectOptions = connectOptions.forOneOfSeveral
        machine = HappyEyeballs(host: host, port: port, options: options, at: BlockingResolver.now)
    }

    /// A blocking socket, which is the caller's to close, and its peer.
    consuming func connect() throws(ConnectByNameError) -> (CInt, SocketAddress) {
        let families = machine.familiesToAskFor(connectingFrom: connectOptions.localAddress, at: BlockingResolver.now)
        let lookups = families.map { [inbox] family in
            resolver.start(host, family.recordType) { inbox.answers.append((family, $0)) }
        }
        defer { for lookup in lookups { lookup.cancel() } }
        while true {
            takeAnswers()
            while let action = machine.nextAction(at: BlockingResolver.now) {
                switch action {
                case .attempt(let number, let address): attempt(number, address)
                case .cancel(let number): attempts[number] = nil
                case .finish(let winner, let address):
                    if let socket = attempts[winner]?.socket.take() { return (socket.release(), address) }
                case .fail: throw machine.error
                }
            }
            wait()
        }
    }

    private mutating func takeAnswers() {
        resolver.deliver()
        for (family, result) in inbox.answers { machine.answered(family, result, at: BlockingResolver.now) }
        inbox.answers = []
    }

    private mutating func attempt(_ number: Int, _ address: SocketAddress) {
        do throws(SystemError) {
            attempts[number] = try Attempt(address, connectOptions)
        } catch {
            machine.attemptFailed(number, error, at: BlockingResolver.now)
        }
    }

    private mutating func wait() {
        let running = attempts.sorted { $0.key < $1.key }
        let entries = running.map { pollfd(fd: $0.value.socket?.descriptor.number ?? -1, events: Int16(POLLOUT), revents: 0) }
        let end = running.reduce(machine.deadline) { min($0, $1.value.end) }
        let polled = resolver.wait(until: end, entries)
        let now = BlockingResolver.now
        for ((number, attempt), entry) in zip(running, polled) {
            if entry.revents != 0 {
                settle(number, attempt, at: now)
            } else if attempt.end <= now {
                fail(number, attempt.failure(ETIMEDOUT), at: now)
            }
        }
    }

    private mutating func settle(_ number: Int, _ attempt: Attempt, at now: MonotonicTime) {
        do throws(SystemError) {
            if let error = attempt.socket?.outcome, error != 0 { throw attempt.failure(error) }
            if let socket = attempt.socket?.descriptor.number { try setNonBlocking(socket, false) }
            if !machine.connected(number, at: now) { attempts[number] = nil }
        } catch {
            fail(number, error, at: now)
        }
    }

    private mutating func fail(_ number: Int, _ error: SystemError, at now: MonotonicTime) {
        attempts[number] = nil
        machine.attemptFailed(number, error, at: now)
    }
}
