import ArgumentParser
import Foundation
import ReactorSMTP

struct Queue: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look into the spool of an SMTP relay, running or not.", subcommands: [QueueList.self])
}

struct QueueList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the messages that wait to be delivered, and those that failed.",
        discussion: """
            A message is 'failed' when the next hop refused it for good, for some recipients at least; it is kept, and
            not tried again. With --json: an array with an object for each message, empty when the spool is.
            """)

    @Option(help: ArgumentHelp("The spool's directory.", valueName: "dir"))
    var spool: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let messages = try Spool(reading: spool).list()
        if json && messages.isEmpty {
            print("[]")
        } else if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(messages), as: UTF8.self))
        } else if messages.isEmpty {
            print("nothing waits in \(spool)")
        } else {
            messages.forEach(printMessage)
        }
    }

    private func printMessage(_ message: QueuedMessage) {
        let sender = message.sender.isEmpty ? "<>" : message.sender
        print("\(message.id)  \(message.received)  \(message.size) bytes  from \(sender)  \(message.state.rawValue)")
        for recipient in message.recipients {
            print("    to \(recipient.address)  \(recipient.state)" + (recipient.lastReply.map { "  (\($0))" } ?? ""))
        }
        if message.attempts > 0 {
            let next = message.nextAttempt.map { ", next \($0)" } ?? ""
            print("    \(message.attempts) attempts\(next)" + (message.lastError.map { ": \($0)" } ?? ""))
        }
    }
}
