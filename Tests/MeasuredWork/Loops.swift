import ConnectionHandling
import Glibc
import Reactor
import ReactorHTTP
import ReactorWeb
import Synchronization

// What loops do, all on one thread: nothing here depends on when another one runs.

extension Work {
    static let timers = Work("timers", "a timer armed and cancelled, 44 at a time") {
        let loop = try EventLoop()
        return { rounds in
            loop.inTurns(of: rounds) { loop, count in
                let watchers = (0..<count).map { loop.after(.seconds(60 + $0 % 7)) {} }
                for watcher in watchers { watcher.cancel() }
            }
        }
    }

    static let expiry = Work("expiry", "a timer armed and fired, 44 in a turn") {
        let loop = try EventLoop()
        return { rounds in
            var left = rounds
            func arm() {
                for _ in 0..<min(cycle, left) {
                    loop.after(.zero) {
                        left -= 1
                        if left == 0 { return loop.stop() }
                        if (rounds - left) % cycle == 0 { arm() }
                    }
                }
            }
            if rounds == 0 { return }
            arm()
            loop.run()
        }
    }

    static let submit = Work("submit", "a job submitted and run, 44 in a turn") {
        let loop = try EventLoop()
        return { rounds in
            loop.inTurns(of: rounds) { loop, count in
                for _ in 0..<count { try? loop.handle.submit { _ in } }
            }
        }
    }

    static let turn = Work("turn", "a keep-alive request read from a socket, routed and answered; and what its client does for it") {
        let pair = try KeepAlive()
        return { rounds in pair.ask(rounds) }
    }
}

extension EventLoop {
    /// Does so many rounds, ``Work/cycle`` at most in a turn, and stops.
    fileprivate func inTurns(of rounds: Int, _ body: @escaping @Sendable (EventLoop, Int) -> Void) {
        @Sendable func go(_ loop: EventLoop, _ left: Int) {
            if left == 0 { return loop.stop() }
            let count = min(left, Work.cycle)
            body(loop, count)
            try? loop.handle.submit { loop in go(loop, left - count) }
        }
        after(.zero) { [unowned self] in go(self, rounds) }
        run()
    }
}

/// A connection to a server on the same loop, over a pair of sockets.
private final class KeepAlive {
    private let loop: EventLoop
    private let client: Descriptor
    private let question = [UInt8](Work.browserRequest.utf8)
    private var answer = [UInt8](repeating: 0, count: 1_024)
    private var left = 0

    init() throws {
        loop = try EventLoop()
        var ends: [CInt] = [-1, -1]
        require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0, "no pair of sockets")
        client = Descriptor(owning: ends[0])
        try loop.adopt(
            Descriptor(owning: ends[1]), HTTPServerHandler(application: RoutedApplication(Work.sampleRouter()), limits: Work.unlimited))
        loop.onReadable(ends[0]) { [unowned self] in answered() }
    }

    func ask(_ rounds: Int) {
        if rounds == 0 { return }
        left = rounds
        send()
        loop.run()
    }

    private func send() {
        require(Glibc.send(client.number, question, question.count, 0) == question.count, "a request was not sent")
    }

    private func answered() {
        let count = recv(client.number, &answer, answer.count, 0)
        require((100...200).contains(count), "\(count) bytes came back")
        left -= 1
        if left == 0 { loop.stop() } else { send() }
    }
}
