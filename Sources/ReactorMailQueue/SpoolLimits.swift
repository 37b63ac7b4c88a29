/// What a ``Spool`` leaves of its disk. Set by default.
public struct SpoolLimits: Sendable {
    /// Free space below which no message is accepted, in bytes; to this comes twice the size of what is to be written,
    /// and the size of the write-ahead log. 4 MiB: what is accepted must be taken out again, and on a disk that is
    /// full to the brim the outcome of a delivery could not be written down.
    public var reserve = 4 * 1024 * 1024

    public init() {}
}
