/// Which messages of a queue somebody means: those that match everything that is given.
public struct QueueFilter: Sendable, Equatable {
    /// An address, letters in either case, `*` for any characters; empty for the null sender.
    public var sender: String?
    /// The address of some recipient, in the same way.
    public var recipient: String?
    /// The domain of some recipient.
    public var domain: String?
    /// In seconds since 1970: received then or earlier.
    public var receivedBefore: Int64?
    /// Part of what was said last about some recipient, or of why the message is set aside; letters in either case.
    public var reason: String?
    /// Empty: any.
    public var states: Set<QueuedMessage.State> = []

    public init() {}

    public var isEmpty: Bool { self == QueueFilter() }

    /// Conditions on the table `message`, and their values in the order of their question marks.
    var conditions: (sql: String, values: [Database.Value]) {
        var conditions = ["TRUE"]
        var values: [Database.Value] = []
        func add(_ condition: String, _ more: Database.Value...) {
            conditions.append("(" + condition + ")")
            values += more
        }
        func ofSome(_ condition: String) -> String {
            "EXISTS(SELECT 1 FROM recipient WHERE recipient.message = number AND \(condition))"
        }
        if let sender { add("lower(sender) GLOB ?", Self.pattern(sender)) }
        if let recipient { add(ofSome("lower(address) GLOB ?"), Self.pattern(recipient)) }
        if let domain { add(ofSome("domain = ?"), .text(domain.lowercased())) }
        if let receivedBefore { add("received <= ?", .integer(receivedBefore)) }
        if let reason {
            let text = Database.Value.text(reason.lowercased())
            add(ofSome("instr(lower(reply), ?)") + " OR instr(lower(quarantine), ?)", text, text)
        }
        if !states.isEmpty { add(states.map(Self.condition).sorted().joined(separator: " OR ")) }
        return (conditions.joined(separator: " AND "), values)
    }

    static let isWaitedFor = "EXISTS(SELECT 1 FROM recipient WHERE recipient.message = number AND state = 'waiting')"

    private static func condition(of state: QueuedMessage.State) -> String {
        switch state {
        case .quarantined: "quarantine IS NOT NULL"
        case .held: "held <> 0 AND quarantine IS NULL"
        case .waiting: "held = 0 AND quarantine IS NULL AND \(isWaitedFor)"
        case .failed: "held = 0 AND quarantine IS NULL AND NOT \(isWaitedFor)"
        }
    }

    /// SQLite's GLOB, of which only the star is meant.
    private static func pattern(_ text: String) -> Database.Value {
        var pattern = ""
        // SQLite lowers ASCII only.
        for character in text.unicodeScalars {
            switch character {
            case "[", "?": pattern += "[\(character)]"
            case "A"..."Z": pattern += String(character).lowercased()
            default: pattern.unicodeScalars.append(character)
            }
        }
        return .text(pattern)
    }
}
