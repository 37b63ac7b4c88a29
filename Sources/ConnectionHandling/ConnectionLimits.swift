/// What a driver allows one connection, whatever its protocol. Every one of them is set by default.
public struct ConnectionLimits: Sendable {
    /// A connection whose handler set no deadline is closed when nothing was received or sent for this long. Five
    /// minutes: longer than any think-time between lines, shorter than a leak that matters.
    public var idle: Duration = .seconds(300)
    /// A peer that accepts no byte of waiting output for this long is cut off. One minute, as nginx's `send_timeout`.
    public var writeStall: Duration = .seconds(60)
    /// Bytes a second that a peer must send while a message is incomplete, measured over ``receiveRateWindow``; 0 for
    /// any. 16: far below any working network, far above a peer that sends a byte now and then to hold a connection.
    public var minReceiveRate = 16
    /// One minute: a network may be gone for half of that (a lost packet's repetitions are up to that far apart).
    public var receiveRateWindow: Duration = .seconds(60)
    /// Output waiting at or above which the driver stops delivering input, and ``Connection/isBackedUp`` is true.
    public var highWatermark = 256 * 1024
    /// Output waiting at or below which a backed-up connection goes on, by ``ConnectionHandler/drained(on:)``.
    public var lowWatermark = 64 * 1024
    /// Output waiting above which the connection is cut off: its handler ignores that the peer does not read. 16 MiB
    /// lets one whole large reply through.
    public var maxQueuedOutput = 16 * 1024 * 1024
    /// Input that a handler may leave unconsumed. Protocols have far tighter limits; this one catches those without.
    public var maxUnconsumedInput = 1024 * 1024
    /// Descriptors that a peer on a Unix-domain socket may have passed and the handler not yet taken. None: to take
    /// descriptors from anybody is a decision of the handler's author.
    public var maxReceivedDescriptors = 0
    /// How long a lingering close goes on reading what the peer still sends, so that the last reply is not destroyed
    /// by a reset. Two seconds, within nginx's `lingering_timeout` of five.
    public var linger: Duration = .seconds(2)

    public init() {}

    public static var `default`: ConnectionLimits { ConnectionLimits() }
}

/// The limits as connections keep them: one object for all connections of a listener, durations already converted.
package final class ResolvedLimits: Sendable {
    package let values: ConnectionLimits
    package let idleNanoseconds: UInt64
    package let writeStallNanoseconds: UInt64
    package let lingerNanoseconds: UInt64
    package let rateWindowNanoseconds: UInt64
    package let bytesPerRateWindow: UInt32

    package init(_ values: ConnectionLimits) {
        precondition(
            values.lowWatermark >= 0 && values.lowWatermark < values.highWatermark
                && values.highWatermark <= values.maxQueuedOutput,
            "limits must have lowWatermark < highWatermark <= maxQueuedOutput")
        precondition(
            values.minReceiveRate >= 0 && values.maxReceivedDescriptors >= 0 && values.maxReceivedDescriptors <= 253,
            "a rate is not negative, and Linux passes at most 253 descriptors at a time")
        self.values = values
        idleNanoseconds = values.idle.wholeNanoseconds
        writeStallNanoseconds = values.writeStall.wholeNanoseconds
        lingerNanoseconds = values.linger.wholeNanoseconds
        rateWindowNanoseconds = values.receiveRateWindow.wholeNanoseconds
        let seconds = Double(rateWindowNanoseconds) / 1e9
        bytesPerRateWindow = UInt32(min(Double(values.minReceiveRate) * seconds, Double(UInt32.max)))
    }
}
