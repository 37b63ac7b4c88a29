import ArgumentParser
import Glibc
import Logging
import ReactorMailQueue
import Synchronization

/// How a server's log is written, on standard error.
enum LogLineFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// As swift-log has it: `time level label: [source] key=value… message`.
    case text
    /// An object a line (JSON Lines): `time`, `level`, `logger`, `event`, and what the line is about.
    case json

    private static let isJSON = Atomic(false)

    /// For loggers that are made from now on.
    func use() { Self.isJSON.store(self == .json, ordering: .relaxed) }

    static func bootstrap() {
        LoggingSystem.bootstrap { label in
            if isJSON.load(ordering: .relaxed) { return JSONLogHandler(label: label) }
            return StreamLogHandler.standardError(label: label)
        }
    }
}

/// Writes each line by one call, so that lines of several threads and processes stay whole as far as the file lets them.
struct JSONLogHandler: LogHandler {
    let label: String
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let own = metadata.merging(event.metadata ?? [:]) { $1 }
        printError(
            Self.line(
                seconds: Int64(time.tv_sec), milliseconds: Int(time.tv_nsec / 1_000_000), level: event.level, label: label,
                message: event.message.description, metadata: own))
    }

    static func line(
        seconds: Int64, milliseconds: Int, level: Logger.Level, label: String, message: String, metadata: Logger.Metadata
    ) -> String {
        var json = JSONObject()
        let digits = String(milliseconds)
        let fraction = String(repeating: "0", count: max(0, 3 - digits.count)) + digits
        json.add("time", QueuedMessage.timestamp(seconds).dropLast() + "." + fraction + "Z")
        json.add("level", level.rawValue)
        json.add("logger", label)
        json.add("event", message)
        for (name, value) in metadata.sorted(by: { $0.key < $1.key }) { json.add(name, value.description) }
        return json.text
    }
}
