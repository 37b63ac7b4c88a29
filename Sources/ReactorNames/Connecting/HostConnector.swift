import ConnectionHandling
import Reactor
import ReactorDNS

/// Performs on a loop what ``HappyEyeballs`` decides.
///
/// Kept by what it waits for: a timer of the loop's, and the attempts. It goes when it has ended.
final class HostConnector {
    /// Looks a name up, later in the loop; what it returns ends that.
    typealias Ask = (String, RecordType, @escaping (Result<Answer, ResolutionError>) -> Void) -> () -> Void
    /// The socket, which is the receiver's to close, and its peer.
    typealias Outcome = Result<(CInt, SocketAddress), ConnectByNameError>

    private weak var loop: EventLoop?
    private let ask: Ask
    private let host: String
    private let port: UInt16
    private let connectOptions: ConnectOptions
    private let options: HappyEyeballsOptions
    private var machine: HappyEyeballs
    /// What ends each question that was asked.
    private var questions: [() -> Void] = []
    /// What gives each attempt up that is under way.
    private var attempts: [Int: () -> Void] = [:]
    private var timer: Watcher?
    /// The winner's.
    private var connected: Descriptor?
    /// Nil once it was called, or nobody is to be told any more.
    private var finish: ((Outcome) -> Void)?

    /// - Parameter finish: called once, from the loop.
    init(
        loop: EventLoop, host: String, port: UInt16, _ connectOptions: ConnectOptions, _ options: HappyEyeballsOptions,
        ask: @escaping Ask, finish: @escaping (Outcome) -> Void
    ) {
        self.loop = loop
        self.ask = ask
        self.host = host
        self.port = port
        self.connectOptions = connectOptions.forOneOfSeveral
        self.options = options
        self.finish = finish
        machine = HappyEyeballs(host: host, port: port, options: options, at: loop.clock.now)
        // The loop's time is the turn's: nothing begins, or ends, before the caller has returned.
        timer = loop.after(.zero) { self.start() }
    }

    /// Nobody is told, and nothing is left.
    func cancel() {
        finish = nil
        timer?.cancel()
        timer = nil
        for endQuestion in questions { endQuestion() }
        questions = []
        for giveUp in attempts.values { giveUp() }
        attempts = [:]
        connected = nil
    }

    private func start() {
        guard let loop, finish != nil else { return }
        machine = HappyEyeballs(host: host, port: port, options: options, at: loop.clock.now)
        for family in machine.familiesToAskFor(connectingFrom: connectOptions.localAddress, at: loop.clock.now) {
            questions.append(ask(host, family.recordType) { [weak self] in self?.answered(family, $0) })
        }
        perform()
    }

    private func answered(_ family: HappyEyeballs.Family, _ result: Result<Answer, ResolutionError>) {
        guard let loop else { return }
        machine.answered(family, result, at: loop.clock.now)
        perform()
    }

    private func attempted(_ number: Int, _ address: SocketAddress, _ result: Result<CInt, SystemError>) {
        guard let loop else { return }
        attempts[number] = nil
        switch result {
        case .failure(let error):
            machine.attemptFailed(number, error, at: loop.clock.now)
        case .success(let descriptor):
            let descriptor = Descriptor(owning: descriptor)
            guard machine.connected(number, at: loop.clock.now) else { return }
            connected = consume descriptor
        }
        perform()
    }

    private func perform() {
        guard let loop, finish != nil else { return }
        while let action = machine.nextAction(at: loop.clock.now) {
            switch action {
            case .attempt(let number, let address):
                attempts[number] = loop.connect(socketTo: address, connectOptions) { self.attempted(number, address, $0) }
            case .cancel(let number):
                attempts.removeValue(forKey: number)?()
            case .finish(_, let address):
                if let descriptor = connected.take() { end(.success((descriptor.release(), address))) }
            case .fail:
                end(.failure(machine.error))
            }
        }
        guard finish != nil else { return }
        timer?.cancel()
        let wait = loop.clock.now.nanoseconds(until: machine.deadline)
        timer = loop.after(.nanoseconds(Int64(clamping: wait))) { self.perform() }
    }

    private func end(_ outcome: Outcome) {
        let finish = finish
        cancel()
        finish?(outcome)
    }
}
