public import ArgumentParser
import Glibc
public import ReactorMailQueue

struct Queue: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look into the queue of an SMTP relay, running or not, and change what is in it.",
        discussion: """
            A relay keeps its queue in the directory that it was started with, --spool. Filters can be combined:

              reactor queue list --spool /var/spool/reactor --domain example.org --older-than 4h
              reactor queue retry --spool /var/spool/reactor --reason 'mailbox full'
              reactor queue show --spool /var/spool/reactor 3BQX0ZK1MWT7C
              reactor queue stats --spool /var/spool/reactor

            A message is 'waiting' until all its recipients have it; 'held' where an operator holds it back; 'failed' \
            where it was refused for good and is kept for you to see; 'quarantined' where it could not be read.
            """,
        subcommands: [
            QueueList.self, QueueShow.self, QueueRetry.self, QueueHold.self, QueueRelease.self, QueueDelete.self,
            QueueStats.self,
        ])
}

struct QueueLocation: ParsableArguments {
    @Option(name: .customLong("spool"), help: ArgumentHelp("The relay's spool.", valueName: "dir"))
    var directory: String

    @Flag(help: "Print JSON.")
    var json = false

    func open() throws -> Spool { try Spool(existing: directory) }
}

/// Options that say which messages are meant.
struct QueueFilterArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Only from this sender; '*' stands for anything, '' is the sender of bounces.", valueName: "address"))
    var sender: String?

    @Option(help: ArgumentHelp("Only with this recipient; '*' stands for anything.", valueName: "address"))
    var recipient: String?

    @Option(help: ArgumentHelp("Only with a recipient in this domain.", valueName: "domain"))
    var domain: String?

    @Option(help: ArgumentHelp("Only those received so long ago, such as 90s, 30m, 4h or 5d.", valueName: "age"))
    var olderThan: QueueAge?

    @Option(help: ArgumentHelp("Only where this is part of what was said last about a recipient.", valueName: "text"))
    var reason: String?

    @Option(help: "Only in this state; may be given several times.")
    var state: [QueuedMessage.State] = []

    var filter: QueueFilter {
        var filter = QueueFilter()
        filter.sender = sender
        filter.recipient = recipient
        filter.domain = domain
        filter.reason = reason
        filter.states = Set(state)
        if let olderThan { filter.receivedBefore = Int64(time(nil)).subtractingReportingOverflow(olderThan.seconds).partialValue }
        return filter
    }
}

extension QueuedMessage.State: ExpressibleByArgument {}

/// A time in seconds, with a unit.
struct QueueAge: ExpressibleByArgument {
    let seconds: Int64

    init?(argument: String) {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let last = argument.last, let unit = units[last], let count = Int64(argument.dropLast()), count >= 0 else { return nil }
        let (seconds, isTooMuch) = count.multipliedReportingOverflow(by: unit)
        if isTooMuch { return nil }
        self.seconds = seconds
    }
}

/// Standard output in large pieces: a queue may have 100,000 messages.
struct QueueOutput: ~Copyable {
    private var waiting: [UInt8] = []

    mutating func line(_ text: String) {
        write(text.utf8)
        write(CollectionOfOne(UInt8(ascii: "\n")))
    }

    mutating func write(_ bytes: some Collection<UInt8>) {
        waiting.append(contentsOf: bytes)
        if waiting.count >= 65_536 { flush() }
    }

    mutating func flush() {
        var written = 0
        while written < waiting.count {
            let count = waiting.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress.map { $0 + written }, $0.count - written) }
            // Whoever read it has gone, as `head` does.
            if count < 0, errno != EINTR { Glibc.exit(errno == EPIPE ? 0 : 1) }
            written += max(count, 0)
        }
        waiting.removeAll(keepingCapacity: true)
    }
}

/// An id that no message has.
struct NoSuchMessage: Error, CustomStringConvertible {
    let ids: [String]
    let directory: String
    var description: String {
        "no message \(ids.map { "'\($0.printable())'" }.joined(separator: ", ")) in '\(directory)': 'reactor queue list' has the ids"
    }
}
