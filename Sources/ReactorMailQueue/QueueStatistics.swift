/// How full a queue is, and with what.
public struct QueueStatistics: Sendable, Equatable {
    /// Upper ends of the ages that recipients are counted by, in minutes; the last count is of those that are older.
    public static let ages = [5, 10, 20, 40, 80, 160, 320, 640, 1280]

    /// Those who wait for messages to one destination.
    public struct Destination: Sendable, Equatable {
        public var name: String
        public var recipients: Int
        /// By age of their messages: one count for each of ``QueueStatistics/ages``, and one more.
        public var byAge: [Int]
    }

    public var messages: [QueuedMessage.State: Int] = [:]
    public var total: Int { messages.values.reduce(0, +) }
    /// Of all contents.
    public var bytes = 0
    /// Recipients who wait, those of messages that are held or set aside among them.
    public var recipients = 0
    /// Seconds since 1970; nil if there is no message.
    public var oldest: Int64?
    /// The fullest, most recipients first.
    public var destinations: [Destination] = []
    /// How many there are.
    public var destinationCount = 0

    /// One object, in one line.
    public func json() -> String {
        var states = JSONObject()
        for state in QueuedMessage.State.allCases { states.add(state.rawValue, messages[state] ?? 0) }
        var json = JSONObject()
        json.add("messages", total)
        json.add("states", object: states.text)
        json.add("bytes", bytes)
        json.add("recipients", recipients)
        json.add("oldest", oldest.map { QueuedMessage.timestamp($0) })
        json.add("destination_count", destinationCount)
        json.add("destinations", array: destinations.map { destination in
            var object = JSONObject()
            object.add("name", destination.name)
            object.add("recipients", destination.recipients)
            object.add("by_age", array: destination.byAge.map(String.init))
            return object.text
        })
        json.add("age_minutes", array: Self.ages.map(String.init))
        return json.text
    }
}

extension Spool {
    /// - Parameters:
    ///   - now: in seconds since 1970. Messages from the future count as new.
    ///   - destinations: how many of them, at most.
    public func statistics(now: Int64, destinations limit: Int = 20) throws(SpoolError) -> QueueStatistics {
        try read { database throws(Database.Failure) in
            var statistics = QueueStatistics()
            try database.run(
                """
                SELECT CASE WHEN quarantine IS NOT NULL THEN 'quarantined' WHEN held <> 0 THEN 'held'
                    WHEN \(QueueFilter.isWaitedFor) THEN 'waiting' ELSE 'failed' END AS state,
                    count(*), total(size), min(received) FROM message GROUP BY 1
                """
            ) { row in
                if let state = QueuedMessage.State(rawValue: row.text(0)) { statistics.messages[state] = Int(row.integer(1)) }
                statistics.bytes += Int(clamping: row.integer(2))
                statistics.oldest = min(row.integer(3), statistics.oldest ?? .max)
            }
            let bounds = QueueStatistics.ages.map { _ in "sum(received > ?)" }
            let times = QueueStatistics.ages.map { now.subtractingReportingOverflow(Int64($0) * 60) }
            try database.run(
                """
                SELECT destination, count(*), \(bounds.joined(separator: ", ")), count(*) OVER (), sum(count(*)) OVER ()
                FROM recipient JOIN message ON number = message
                WHERE state = 'waiting' GROUP BY destination ORDER BY 2 DESC, 1 LIMIT ?
                """, times.map { .integer($0.overflow ? .min : $0.partialValue) } + [.integer(Int64(max(limit, 1)))]
            ) { row in
                let total = Int(row.integer(1))
                let upTo = (0..<bounds.count).map { Int(row.integer(Int32($0 + 2))) } + [total]
                let counts = upTo.indices.map { $0 == 0 ? upTo[0] : upTo[$0] - upTo[$0 - 1] }
                statistics.destinations.append(.init(name: row.text(0), recipients: total, byAge: counts))
                statistics.destinationCount = Int(row.integer(Int32(bounds.count + 2)))
                statistics.recipients = Int(row.integer(Int32(bounds.count + 3)))
            }
            return statistics
        }
    }
}
