import Benchmark
import Dispatch
import Foundation
import MeasuredWork
import Reactor
import Synchronization

/// Both are of the benchmark's own thread: the time in nanoseconds, of which none is what the processor did for others.
let time = BenchmarkMetric.custom("cpuNanoseconds", polarity: .prefersSmaller, useScalingFactor: true)
let allocated = BenchmarkMetric.custom("allocations", polarity: .prefersSmaller, useScalingFactor: true)

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [time, allocated],
        warmupIterations: 3,
        scalingFactor: .kilo,
        maxDuration: .seconds(1),
        maxIterations: 2_000,
        thresholds: [
            // Caches and clock rates are shared with what else the machine does. What takes twice as long is no matter of those.
            time: BenchmarkThresholds(relative: [.p90: 100]),
            allocated: .strict,
        ])

    for work in Work.all {
        Benchmark(work.name) { benchmark, body in
            measure(benchmark) { body($0) }
        } setup: {
            try work.prepare()
        }
    }

    Benchmark("round-trip") { benchmark, loop in
        measure(benchmark) { rounds in
            for _ in 0..<rounds { loop.roundTrip(of: 1) }
        }
    } setup: {
        try OtherLoop()
    }

    Benchmark("batch") { benchmark, loop in
        measure(benchmark) { rounds in
            for _ in 0..<rounds / 50 { loop.roundTrip(of: 50) }
        }
    } setup: {
        try OtherLoop()
    }
}

func measure(_ benchmark: Benchmark, _ body: (Int) -> Void) {
    let (allocationsBefore, timeBefore) = (allocations(), threadTime())
    body(benchmark.scaledIterations.count)
    let taken = threadTime() - timeBefore
    benchmark.measurement(allocated, allocations() - allocationsBefore)
    benchmark.measurement(time, taken)
}

private func threadTime() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// A loop on a thread of its own.
final class OtherLoop: Sendable {
    private let handle: EventLoopHandle
    private let done = DispatchSemaphore(value: 0)

    init() throws {
        let made = Mutex<Result<EventLoopHandle, any Error>?>(nil)
        let ready = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let loop = Result { try EventLoop() }
            made.withLock { $0 = loop.map(\.handle) }
            ready.signal()
            if case .success(let loop) = loop { loop.run() }
        }
        ready.wait()
        guard let result = made.withLock({ $0 }) else { fatalError("no loop was made") }
        handle = try result.get()
    }

    deinit { handle.stop() }

    /// Submits so many jobs, and waits for the last.
    func roundTrip(of jobs: Int) {
        for job in 1...jobs {
            try? handle.submit { [done] _ in if job == jobs { done.signal() } }
        }
        done.wait()
    }
}
