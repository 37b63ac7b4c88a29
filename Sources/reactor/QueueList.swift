import ArgumentParser
import ReactorMailQueue

struct QueueList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List messages in the order of their arrival.",
        discussion: """
            Each with its recipients, and what was said last about each of them. With --json: an array with an object for \
            each message, one a line, empty when nothing matches.
            """)

    @OptionGroup var location: QueueLocation
    @OptionGroup var filter: QueueFilterArguments

    func run() throws {
        let spool = try location.open()
        var output = QueueOutput()
        var count = 0
        try spool.list(filter.filter) { message in
            if location.json {
                output.write((count == 0 ? "[\n" : ",\n").utf8)
                output.write(message.json().utf8)
            } else {
                message.print(to: &output)
            }
            count += 1
            return true
        }
        if location.json {
            output.line(count == 0 ? "[]" : "\n]")
        } else if count == 0 {
            output.line(filter.filter.isEmpty ? "nothing waits in \(location.directory)" : "nothing in \(location.directory) matches")
        }
        output.flush()
    }
}

extension QueuedMessage {
    /// What peers sent is printed with no character that a terminal would obey.
    func print(to output: inout QueueOutput) {
        let from = sender.isEmpty ? "<>" : sender.printable()
        output.line("\(id.printable())  \(received)  \(size) bytes  from \(from)  \(state.rawValue)")
        if state == .quarantined, let lastError { output.line("    set aside: \(lastError.printable())") }
        for recipient in recipients {
            let host = recipient.remote.map { $0.printable() + ": " } ?? ""
            let reply = recipient.lastReply.map { "  (\(host)\($0.printable()))" } ?? ""
            output.line("    to \(recipient.address.printable())  \(recipient.state)\(reply)")
        }
        if attempts > 0 {
            let next = nextAttempt.map { ", next \($0)" } ?? ""
            output.line("    \(attempts) attempts\(next)")
        }
    }
}
