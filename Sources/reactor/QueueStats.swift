import ArgumentParser
import Glibc
import ReactorMailQueue

struct QueueStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Count messages by state, and those who wait by destination and age.",
        discussion: """
            The columns are ages of messages in minutes: under 5, then 5 to 10, and so on. A destination whose recipients \
            stand far right has not taken mail for long. With --json: an object.
            """)

    @OptionGroup var location: QueueLocation

    @Option(help: ArgumentHelp("How many destinations, the fullest first.", valueName: "count"))
    var top = 20

    func validate() throws {
        if top < 1 { throw ValidationError("--top is at least 1") }
    }

    func run() throws {
        let statistics = try location.open().statistics(now: Int64(time(nil)), destinations: top)
        if location.json { return print(statistics.json()) }
        let states = QueuedMessage.State.allCases.map { "\(statistics.messages[$0] ?? 0) \($0.rawValue)" }
        print("\(statistics.total) messages, \(statistics.bytes) bytes: " + states.joined(separator: ", "))
        if statistics.destinations.isEmpty { return }
        print("\(statistics.recipients) recipients wait, for \(statistics.destinationCount) destinations:")
        print(row("", "T", QueueStatistics.ages.map { "\($0)" } + ["\(QueueStatistics.ages.last ?? 0)+"]))
        for one in statistics.destinations {
            print(row(one.name.isEmpty ? "(none)" : one.name.printable(), "\(one.recipients)", one.byAge.map(String.init)))
        }
    }

    private func row(_ name: String, _ total: String, _ counts: [String]) -> String {
        ([total] + counts).reduce(pad(name, 30, isLeft: true)) { $0 + " " + pad($1, 6, isLeft: false) }
    }

    private func pad(_ text: String, _ width: Int, isLeft: Bool) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return isLeft ? text + space : space + text
    }
}
