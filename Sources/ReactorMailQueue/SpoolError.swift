import ReactorSMTP

/// The spool cannot be used, or not now. `description` is one line that says what to do where that is known.
public enum SpoolError: Error, Equatable, CustomStringConvertible, Sendable {
    /// There is no spool in the directory.
    case missing(directory: String)
    /// The directory cannot be made, entered or written to.
    case unusable(directory: String, reason: String)
    /// The directory holds a database that is no spool.
    case foreign(directory: String)
    /// The spool was made by another version of this software.
    case version(directory: String, found: Int64, expected: Int64)
    /// The database was cut: its write-ahead log is there, and it itself is empty.
    case torn(directory: String)
    /// Another process delivers from this spool.
    case agentRunning(directory: String)
    /// Another process has taken the right to deliver since.
    case leaseLost(directory: String)
    /// The process was forked while the spool was open: its locks are no longer what SQLite takes them for.
    case openAcrossFork(directory: String)
    /// The database was moved, deleted or replaced while it was in use. What comes next is the new one's, if there is
    /// one.
    case moved(directory: String)
    /// The disk is full, or nearly (see ``SpoolOptions/reserve``), or a quota is used up.
    case full(directory: String)
    /// A message cannot be read.
    case damaged(id: String, reason: String)
    /// SQLite reported an error.
    case database(directory: String, reason: String)

    public var description: String {
        switch self {
        case .missing(let directory):
            "no spool in '\(directory)': give the directory that the server was started with"
        case .unusable(let directory, let reason):
            "cannot use '\(directory)' as a spool: \(reason); give a directory that this user can write to"
        case .foreign(let directory):
            "'\(directory)' holds a spool.db that is no spool: give another directory"
        case .version(let directory, let found, let expected):
            "the spool in '\(directory)' has format \(found), this version reads format \(expected)"
                + (found < expected ? ": start the server on it once, which brings it up to date" : ": empty it with that version")
        case .torn(let directory):
            "the spool in '\(directory)' has lost its database, while its write-ahead log is there: "
                + "restore spool.db from a copy, or move the directory away"
        case .agentRunning(let directory):
            "another process delivers from the spool in '\(directory)': stop it first, or give another directory"
        case .leaseLost(let directory):
            "another process has taken over the spool in '\(directory)'"
        case .openAcrossFork(let directory):
            "the spool in '\(directory)' was open when this process was forked: fork before using it"
        case .moved(let directory):
            "the spool in '\(directory)' was moved, deleted or replaced while in use"
        case .damaged(let id, let reason):
            "message \(id) cannot be read: \(reason)"
        case .full(let directory):
            "no room for the spool in '\(directory)'"
        case .database(let directory, let reason):
            "the spool in '\(directory)' failed: \(reason)"
        }
    }

    /// As the sender of a message is told.
    var asStoreError: MessageStoreError {
        if case .full = self { .full(description) } else { .failed(description) }
    }

    /// As the one who delivers is told.
    var asQueueError: MailQueueError {
        switch self {
        case .full: .full(description)
        case .agentRunning: .leaseHeld(description)
        case .leaseLost: .leaseLost
        default: .failed(description)
        }
    }
}
