import ConnectionHandling
import Dispatch
import Glibc
import ReactorWire
import Synchronization

/// Lines on their way to a file or a closure: gathered in memory by any thread, and written in batches by another, so that no
/// loop waits for a disk.
public final class LogSink: Sendable {
    private struct State: ~Copyable {
        var lines = ByteQueue()
        var isScheduled = false
        var dropped = 0
        var times = LogTimes()
    }

    /// Lines are written so long after the first of a batch.
    private static let delay = DispatchTimeInterval.milliseconds(100)

    private let state = Mutex(State())
    /// Held while a batch is written, so that batches keep their order.
    private let writing = Mutex(())
    private let capacity: Int
    private let output: @Sendable (RawSpan) -> Void
    private let queue = DispatchQueue(label: "log")

    /// - Parameters:
    ///   - capacity: how many bytes may wait to be written; lines past it are dropped, and counted. 4 MiB: some
    ///     40,000 lines in a tenth of a second.
    ///   - output: is given whole lines, on a thread of its own, one call at a time.
    public init(capacity: Int = 4 * 1024 * 1024, _ output: @escaping @Sendable (RawSpan) -> Void) {
        self.capacity = capacity
        self.output = output
    }

    /// Writes to a file that stays open as long as this does, such as standard output. What the system refuses is lost.
    public convenience init(descriptor: CInt, capacity: Int = 4 * 1024 * 1024) {
        self.init(capacity: capacity) { lines in
            lines.withUnsafeBytes { lines in
                var written = 0
                while written < lines.count {
                    let count = Glibc.write(descriptor, lines.baseAddress.map { $0 + written }, lines.count - written)
                    if count < 0 && errno == EINTR { continue }
                    if count <= 0 { return }
                    written += count
                }
            }
        }
    }

    deinit { flush() }

    /// How many lines were dropped, because they came faster than they were written.
    public var dropped: Int { state.withLock { $0.dropped } }

    /// Writes what waits, and returns when it is written. For the end of a program.
    public func flush() {
        writing.withLock { _ in
            let lines = state.withLock { state in
                defer { state.lines.removeAll(keepingCapacity: true) }
                state.isScheduled = false
                return SharedBytes(copying: state.lines.bytes)
            }
            if lines.count > 0 { output(lines.bytes) }
        }
    }

    /// As ``flush()``, but waits no longer than `limit`: who reads the lines may have stopped, and a server must still end.
    ///
    /// - Returns: whether all of it was written.
    @discardableResult public func flush(within limit: Duration) -> Bool {
        let done = DispatchSemaphore(value: 0)
        queue.async {
            self.flush()
            done.signal()
        }
        return done.wait(timeout: .now() + .nanoseconds(Int(clamping: limit.wholeNanoseconds))) == .success
    }

    /// Appends what `write` writes, a line without its end.
    func line(at unixSeconds: Int64, _ write: (inout ByteQueue, inout LogTimes) -> Void) {
        let mustSchedule = state.withLock { state in
            if state.lines.count >= capacity {
                state.dropped += 1
                return false
            }
            state.times.set(unixSeconds)
            write(&state.lines, &state.times)
            state.lines.append("\n")
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if mustSchedule { queue.asyncAfter(deadline: .now() + Self.delay) { [weak self] in self?.flush() } }
    }
}

/// The time as logs have it, written once a second.
struct LogTimes: ~Copyable {
    private var seconds = Int64.min
    /// `06/Nov/1994:08:49:37 +0000`.
    private(set) var common: [UInt8] = []
    /// `1994-11-06T08:49:37Z`, RFC 3339.
    private(set) var standard: [UInt8] = []

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    mutating func set(_ unixSeconds: Int64) {
        if unixSeconds == seconds { return }
        seconds = unixSeconds
        let time = CivilTime(unixSeconds: unixSeconds)
        let clock = "\(Self.two(time.hour)):\(Self.two(time.minute)):\(Self.two(time.second))"
        common = Array("\(Self.two(time.day))/\(Self.months[time.month - 1])/\(time.year):\(clock) +0000".utf8)
        standard = Array("\(time.year)-\(Self.two(time.month))-\(Self.two(time.day))T\(clock)Z".utf8)
    }

    private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
