import ArgumentParser
import ReactorMailQueue

/// Which messages are to be changed: some ids, or what a filter says, or everything, which must be said.
struct QueueSelection: ParsableArguments {
    @OptionGroup var location: QueueLocation
    @OptionGroup var filter: QueueFilterArguments

    @Flag(help: "All messages.")
    var all = false

    @Argument(help: "The ids of messages, as 'list' prints them.")
    var ids: [String] = []

    func validate() throws {
        let ways = [!ids.isEmpty, !filter.filter.isEmpty, all].count { $0 }
        if ways == 0 { throw ValidationError("which messages? give ids, or a filter such as --domain, or --all") }
        if ways > 1 { throw ValidationError("give ids, or filters, or --all: only one of them") }
    }

    func apply(_ change: QueueChange, done: String) throws {
        let spool = try location.open()
        var (count, missing) = (0, [String]())
        if ids.isEmpty {
            count = try spool.apply(change, matching: filter.filter)
        } else {
            (count, missing) = try spool.apply(change, to: ids)
        }
        print(location.json ? #"{"\#(done)":\#(count)}"# : "\(count) \(count == 1 ? "message" : "messages") \(done)")
        if !missing.isEmpty { throw NoSuchMessage(ids: missing, directory: location.directory) }
    }
}

struct QueueRetry: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Try messages again at once.",
        discussion: """
            Those who wait are tried now; where a message is quarantined, or failed and was kept, it is tried again too. \
            One that is held stays held.
            """)
    @OptionGroup var selection: QueueSelection
    func run() throws { try selection.apply(.retry, done: "due") }
}

struct QueueHold: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Hold messages back until they are released.")
    @OptionGroup var selection: QueueSelection
    func run() throws { try selection.apply(.hold, done: "held") }
}

struct QueueRelease: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Let messages go that are held back; they are tried at once.")
    @OptionGroup var selection: QueueSelection
    func run() throws { try selection.apply(.release, done: "released") }
}

struct QueueDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete messages. Nobody is told.",
        discussion: "They cannot be brought back. A delivery that is under way is not stopped.")
    @OptionGroup var selection: QueueSelection
    func run() throws { try selection.apply(.delete, done: "deleted") }
}
