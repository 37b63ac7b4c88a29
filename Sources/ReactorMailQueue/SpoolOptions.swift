/// What a ``Spool`` keeps, and what it leaves of its disk. Set by default.
public struct SpoolOptions: Sendable {
    /// Free space below which no message is accepted, in bytes; to this comes twice the size of what is to be written,
    /// and the size of the write-ahead log. 4 MiB: what is accepted must be taken out again, and on a disk that is
    /// full to the brim the outcome of a delivery could not be written down.
    public var reserve = 4 * 1024 * 1024

    /// Messages and outcomes in one transaction, at most. 512: beyond some hundred the sync is paid for, and those who
    /// came first wait for those who came last.
    public var batchCount = 512

    /// Content in one transaction, in bytes, at most; a larger one goes by itself. 16 MiB: some 100 ms of a plain disk.
    public var batchBytes = 16 * 1024 * 1024

    /// How far ahead an attempt may lie when the lease is taken, in seconds: one further ahead is due at once, because
    /// the clock has been wrong. A day: no retry waits as long.
    public var longestWait: Int64 = 86_400

    /// Age from which a content's file that no message names is removed, in seconds. An hour: nobody writes as slowly.
    public var orphanAge: Int64 = 3_600

    /// Messages with recipients who were refused for good stay, for people to see, until they are deleted. Off: their
    /// senders have been told by a bounce.
    public var keepsFailed = false

    public init() {}
}
