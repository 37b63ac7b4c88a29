/// Why a connection ended, as told to ``ConnectionHandler/closed(_:)``.
public enum CloseReason: Equatable, Sendable {
    /// The handler closed it, and all that it had written was handed to the system.
    case finished
    /// The handler aborted it; output may have been dropped.
    case aborted
    /// Nothing was heard for ``ConnectionLimits/idle`` and the handler had set no deadline of its own.
    case idle
    /// In the middle of a message the peer sent less than ``ConnectionLimits/minReceiveRate``.
    case receivedTooSlowly
    /// The peer accepted no output for ``ConnectionLimits/writeStall``, or ``DatagramLimits/closingTime``.
    case writeStalled
    /// The handler wrote past ``ConnectionLimits/maxQueuedOutput`` although the connection was backed up.
    case outputOverflow
    /// The handler left more than ``ConnectionLimits/maxUnconsumedInput`` unconsumed.
    case inputOverflow
    /// The server stopped before the connection had finished.
    case stopped
    /// The system reported an error, as `errno`: most often `ECONNRESET` or `EPIPE`.
    case failed(errno: Int32)
    /// TLS ended it: the handshake, the peer's certificate, or a stream that was cut off.
    case tlsFailed(TLSFailure)
}
