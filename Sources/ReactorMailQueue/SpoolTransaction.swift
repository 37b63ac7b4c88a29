import ReactorSMTP

/// What one transaction has to write, and what is to be done once the disk has it.
struct SpoolTransaction {
    let database: Database
    let context: Context

    /// What stays the same from one transaction to the next.
    struct Context: Sendable {
        let folder: ContentFolder
        let options: SpoolOptions
        let routing: @Sendable (String) -> String
    }

    private(set) var newest: Int64 = 0
    private var epoch: Int64 = 0

    // MARK: Afterwards

    private(set) var stored = 0
    private(set) var storedBytes = 0
    private(set) var recorded = 0
    private(set) var removed = 0
    /// An operator has changed something.
    var hasChanges = false
    private(set) var keptFiles: [ContentFile] = []
    private(set) var removedFiles: [String] = []

    /// Begins in a transaction of the database that holds the write lock.
    init(_ database: Database, _ context: Context) throws(Database.Failure) {
        self.database = database
        self.context = context
        try database.run("SELECT newest, epoch FROM spool") { row in
            newest = row.integer(0)
            epoch = row.integer(1)
        }
    }

    /// Writes down what is written once for all.
    func finish() throws(Database.Failure) {
        if stored > 0 { try database.run("UPDATE spool SET newest = ?", [.integer(newest)]) }
        if hasChanges { try database.run("UPDATE spool SET changes = changes + 1") }
    }

    /// Does one submission's work.
    ///
    /// - Returns: what it is told, beside the transaction's own failure.
    mutating func perform(_ work: Submission.Work) throws(Database.Failure) -> SpoolError? {
        switch work {
        case .message(let envelope, let content): try insert(envelope, content)
        case .change(let change): try change(&self)
        case .attempts(let attempts, let epoch):
            if epoch != self.epoch { return .leaseLost(directory: context.folder.directory) }
            for attempt in attempts { try record(attempt) }
        }
        return nil
    }

    /// - Returns: the new epoch.
    mutating func raiseEpoch() throws(Database.Failure) -> Int64 {
        let (next, isOver) = epoch.addingReportingOverflow(1)
        epoch = isOver ? 1 : max(next, 1)
        try database.run("UPDATE spool SET epoch = ?", [.integer(epoch)])
        return epoch
    }

    // MARK: In

    private mutating func insert(_ envelope: Envelope, _ content: MessageContent) throws(Database.Failure) {
        let number = newest &+ 1
        var file: Database.Value = .null
        if case .file(let kept) = content {
            // That it is there and has this name was seen when it was synchronized.
            file = .text(envelope.id.text)
            keptFiles.append(kept)
        }
        try database.run(
            "INSERT INTO message(number, id, sender, body, utf8, ret, envid, size, received, file) VALUES(?,?,?,?,?,?,?,?,?,?)",
            [
                .integer(number), .text(envelope.id.text), .text(envelope.sender), .text(envelope.body.rawValue),
                .integer(envelope.isInternationalized ? 1 : 0), .optional(envelope.returnContent?.rawValue),
                .optional(envelope.envelopeID), .integer(Int64(content.size)), .integer(envelope.received), file,
            ])
        if case .bytes(let bytes) = content {
            try database.run("INSERT INTO content(message, bytes) VALUES(?,?)", [.integer(number), .blob(bytes)])
        }
        for (position, recipient) in envelope.recipients.enumerated() {
            try database.run(
                """
                INSERT INTO recipient(message, position, address, domain, destination, notify, orcpt, next_attempt)
                VALUES(?,?,?,?,?,?,?,?)
                """,
                [
                    .integer(number), .integer(Int64(position)), .text(recipient.address),
                    .text(Spool.domain(of: recipient.address)), .text(context.routing(recipient.address)),
                    recipient.notify.map { .integer(Int64($0.rawValue)) } ?? .null, .optional(recipient.originalRecipient),
                    .integer(envelope.received),
                ])
        }
        newest = number
        stored += 1
        storedBytes += content.size
    }

    // MARK: Out

    private mutating func record(_ attempt: DeliveryAttempt) throws(Database.Failure) {
        let number = Database.Value.integer(attempt.message.number)
        var isThere = false
        var isHeld = false
        // The number alone could be another message's by now, if the spool was replaced.
        try database.run(
            "SELECT held <> 0 OR quarantine IS NOT NULL FROM message WHERE number = ? AND id = ?",
            [number, .text(attempt.message.id.text)]
        ) { row in
            isThere = true
            isHeld = row.integer(0) != 0
        }
        // An operator has deleted it meanwhile: nobody is to hear of it any more.
        if !isThere { return }
        recorded += 1
        for notice in attempt.notices { try insert(notice.envelope, notice.content) }
        let others = try database.number("SELECT count(*) FROM recipient WHERE message = ?", [number]) ?? 0
        if attempt.outcomes.allSatisfy(\.isDelivered), others == attempt.message.recipients.count,
            attempt.outcomes.count == others
        {
            return try remove(attempt.message.number)
        }
        for (recipient, outcome) in zip(attempt.message.recipients, attempt.outcomes) {
            try record(outcome, of: recipient, attempt, isHeld: isHeld)
        }
        let still = context.options.keepsFailed ? "state <> 'delivered'" : "state NOT IN ('delivered', 'failed')"
        if try database.number("SELECT 1 FROM recipient WHERE message = ? AND \(still) LIMIT 1", [number]) == nil {
            return try remove(attempt.message.number)
        }
        if attempt.warned { try database.run("UPDATE message SET warned = 1 WHERE number = ?", [number]) }
    }

    private func record(
        _ outcome: DeliveryOutcome, of recipient: OutgoingMessage.Recipient, _ attempt: DeliveryAttempt, isHeld: Bool
    ) throws(Database.Failure) {
        let goesOn = outcome.isLeftOver && attempt.outcomes.contains(where: \.isDelivered)
        let next: Database.Value = !isHeld && outcome.isToBeTriedAgain ? .integer(attempt.nextAttempt) : .null
        try database.run(
            """
            UPDATE recipient SET state = ?1, attempts = attempts + ?2, reply = ?4, status = ?5, remote = ?6,
                -- One that goes on was due, and still is.
                next_attempt = CASE ?2 WHEN 0 THEN next_attempt ELSE ?3 END
            WHERE message = ?7 AND position = ?8 AND state = 'waiting'
            """,
            [
                .text(outcome.state), .integer(goesOn ? 0 : 1), next, .text(outcome.report.text),
                .text(outcome.report.status.description), .optional(outcome.report.remote),
                .integer(attempt.message.number), .integer(recipient.position),
            ])
    }

    /// Removes a message with all that belongs to it.
    mutating func remove(_ number: Int64) throws(Database.Failure) {
        let value = [Database.Value.integer(number)]
        var file: String?
        try database.run("DELETE FROM message WHERE number = ? RETURNING file", value) { file = $0.optionalText(0) }
        try database.run("DELETE FROM recipient WHERE message = ?", value)
        if let file { removedFiles.append(file) } else { try database.run("DELETE FROM content WHERE message = ?", value) }
        removed += 1
    }
}

extension DeliveryOutcome {
    fileprivate var state: String {
        switch self {
        case .delivered: "delivered"
        case .deferred, .leftOver: "waiting"
        case .failed: "failed"
        }
    }

    fileprivate var isLeftOver: Bool { if case .leftOver = self { true } else { false } }
    fileprivate var isToBeTriedAgain: Bool { state == "waiting" }
}

extension Database.Value {
    static func optional(_ text: String?) -> Database.Value { text.map { .text($0) } ?? .null }
}
