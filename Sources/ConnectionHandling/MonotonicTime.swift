package import ReactorWire

/// A moment on a clock that never jumps, in nanoseconds since an arbitrary start. Only a driver reads the clock; a
/// handler sees the moments its driver hands it, so tests run on a virtual one.
public struct MonotonicTime: Comparable, Hashable, Sendable {
    public let nanoseconds: UInt64

    @inlinable public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// The moment that never comes.
    @inlinable public static var distantFuture: MonotonicTime { MonotonicTime(nanoseconds: .max) }

    @inlinable public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Saturates: a deadline too far to count is no deadline.
    @inlinable public func advanced(byNanoseconds nanoseconds: UInt64) -> MonotonicTime {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return overflow ? .distantFuture : MonotonicTime(nanoseconds: sum)
    }

    @inlinable public func advanced(by duration: Duration) -> MonotonicTime {
        advanced(byNanoseconds: duration.wholeNanoseconds)
    }

    /// Nanoseconds from this moment to `later`; 0 if that is not later.
    @inlinable public func nanoseconds(until later: MonotonicTime) -> UInt64 {
        later.nanoseconds > nanoseconds ? later.nanoseconds - nanoseconds : 0
    }
}

extension Duration {
    /// The duration in nanoseconds; 0 if negative, saturating at 584 years.
    public var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        if seconds < 0 || attoseconds < 0 { return 0 }
        let (scaled, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : scaled &+ UInt64(attoseconds / 1_000_000_000)
    }
}

/// The time as a driver last read it: once a turn, not once a call. One for each loop or connection thread; it does
/// not leave that thread.
public final class DriverClock {
    private struct Time: ~Copyable {
        var now: MonotonicTime
        var unixSeconds: Int64
        /// The second that `text` was made of.
        var textSeconds: Int64?
        var text = ByteQueue()
    }

    /// Behind a pointer, since it is read several times for each request: a class's own properties would be checked for
    /// overlapping access at run time each time.
    private let time: UnsafeMutablePointer<Time>

    /// Time since an arbitrary start, for deadlines.
    public package(set) var now: MonotonicTime {
        get { time.pointee.now }
        set { time.pointee.now = newValue }
    }

    /// Seconds since 1970-01-01 UTC, for what is shown to people: `Date` headers, log lines.
    public package(set) var unixSeconds: Int64 {
        get { time.pointee.unixSeconds }
        set { time.pointee.unixSeconds = newValue }
    }

    /// Appends the text that `make` makes of ``unixSeconds``, which it does once a second at most. For what is written with
    /// each message. A clock keeps one text: HTTP's `Date` is the only one.
    package func appendText(to output: inout ByteQueue, making make: (Int64, inout ByteQueue) -> Void) {
        if time.pointee.textSeconds != time.pointee.unixSeconds {
            time.pointee.textSeconds = time.pointee.unixSeconds
            time.pointee.text.removeAll(keepingCapacity: true)
            make(time.pointee.unixSeconds, &time.pointee.text)
        }
        output.append(time.pointee.text.bytes)
    }
    package init(now: MonotonicTime, unixSeconds: Int64) {
        time = .allocate(capacity: 1)
        time.initialize(to: Time(now: now, unixSeconds: unixSeconds))
    }

    deinit {
        time.deinitialize(count: 1)
        time.deallocate()
    }
}
