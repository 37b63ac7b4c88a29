public import Reactor

extension EventLoop {
    /// Runs until `condition` holds, 10 s at most.
    public func run(until condition: @escaping () -> Bool) {
        var rounds = 0
        let timer = every(.milliseconds(2)) { [unowned self] in
            rounds += 1
            if condition() || rounds > 5_000 { stop() }
        }
        run()
        timer.cancel()
    }
}
