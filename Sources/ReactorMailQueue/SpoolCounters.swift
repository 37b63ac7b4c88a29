/// What a ``Spool`` has done in this process.
public struct SpoolCounters: Sendable, Equatable {
    /// Messages stored, notices included.
    public internal(set) var stored: UInt64 = 0
    /// Their contents, in bytes.
    public internal(set) var storedBytes: UInt64 = 0
    /// Attempts written down.
    public internal(set) var recorded: UInt64 = 0
    /// Messages removed: delivered to all, bounced or deleted.
    public internal(set) var removed: UInt64 = 0
    /// Transactions committed. Each waits for the disk once.
    public internal(set) var batches: UInt64 = 0
    /// Contents' files that the disk was waited for.
    public internal(set) var fileSyncs: UInt64 = 0
    /// What was asked for and not done, for whatever reason.
    public internal(set) var failures: UInt64 = 0
    /// Messages set aside because they could not be read.
    public internal(set) var quarantined: UInt64 = 0

    public init() {}
}
