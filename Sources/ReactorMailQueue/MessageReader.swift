import CSQLite
import ReactorSMTP

/// Why a message could not be read.
enum LoadFailure: Error {
    /// Its rows or its content are not what they should be.
    case damaged(String)
    /// The system does not let us at the moment.
    case unreadableNow(String)
    case database(Database.Failure)
}

/// Reads messages as they are handed to a client, and trusts no row.
struct MessageReader {
    let database: Database
    let folder: ContentFolder

    /// A message with those of its recipients of this destination that are due.
    func load(_ number: Int64, for destination: String, at time: Int64) throws(LoadFailure) -> OutgoingMessage {
        let (envelope, size, file, isWarned) = try envelope(number)
        let recipients = try recipients(of: number, for: destination, at: time)
        return OutgoingMessage(
            number: number, envelope: envelope, recipients: recipients,
            content: try content(of: number, size: size, file: file), isWarned: isWarned)
    }

    func content(of number: Int64) throws(LoadFailure) -> MessageContent {
        let (_, size, file, _) = try envelope(number)
        return try content(of: number, size: size, file: file)
    }

    private func envelope(_ number: Int64) throws(LoadFailure) -> (Envelope, size: Int64, file: String?, isWarned: Bool) {
        var found: (Envelope, Int64, String?, Bool)?
        var isThere = false
        try run(
            "SELECT id, sender, body, utf8, ret, envid, received, size, file, warned FROM message WHERE number = ?", number
        ) { row in
            isThere = true
            guard let id = row.validText(0), !id.isEmpty, let sender = row.validText(1), let envelopeID = row.validText(5),
                let body = Envelope.BodyType(rawValue: row.text(2)), row.integer(7) >= 0
            else { return }
            let ret = row.isNull(4) ? nil : Envelope.ReturnContent(rawValue: row.text(4))
            if ret == nil, !row.isNull(4) { return }
            let envelope = Envelope(
                id: QueueID(text: id), sender: sender, recipients: [], body: body, isInternationalized: row.integer(3) != 0,
                returnContent: ret, envelopeID: row.isNull(5) ? nil : envelopeID, received: row.integer(6))
            found = (envelope, row.integer(7), row.optionalText(8), row.integer(9) != 0)
        }
        guard let found else { throw .damaged(isThere ? "its envelope is damaged" : "its envelope is missing") }
        return found
    }

    private func recipients(
        of number: Int64, for destination: String, at time: Int64
    ) throws(LoadFailure) -> [OutgoingMessage.Recipient] {
        var found: [OutgoingMessage.Recipient] = []
        var isDamaged = false
        try run(
            "SELECT position, address, notify, orcpt, attempts, state, destination, next_attempt FROM recipient WHERE message = ?",
            number
        ) { row in
            guard row.text(6) == destination, !row.isNull(7), row.integer(7) <= time else { return }
            guard let address = row.validText(1), !address.isEmpty, let original = row.validText(3),
                row.text(5) == "waiting", (0...7).contains(row.integer(2))
            else { return isDamaged = true }
            let notify = row.isNull(2) ? nil : Envelope.Notify(rawValue: UInt8(clamping: row.integer(2)))
            let recipient = Envelope.Recipient(address, notify: notify, originalRecipient: row.isNull(3) ? nil : original)
            let attempts = Int(clamping: max(0, row.integer(4)))
            found.append(OutgoingMessage.Recipient(position: row.integer(0), recipient, attempts: attempts))
        }
        if isDamaged || found.isEmpty { throw .damaged("its recipients are damaged") }
        return found
    }

    private func content(of number: Int64, size: Int64, file: String?) throws(LoadFailure) -> MessageContent {
        if let file {
            do throws(ContentFileError) {
                if let found = try folder.open(file, size: Int(clamping: size)) { return .file(found) }
            } catch {
                throw .unreadableNow(error.description)
            }
            throw .damaged("the file of its content is missing or not whole")
        }
        var bytes: [UInt8]?
        try run("SELECT bytes FROM content WHERE message = ?", number) { bytes = $0.blob(0) }
        guard let bytes else { throw .damaged("its content is missing") }
        if bytes.count != Int(clamping: size) { throw .damaged("its content is not whole") }
        return .bytes(bytes)
    }

    /// A page that is damaged is taken for the message's own: the next message may lie on good ones.
    private func run(_ sql: String, _ number: Int64, row: (Database.Row) -> Void) throws(LoadFailure) {
        do throws(Database.Failure) {
            try database.run(sql, [.integer(number)], row: row)
        } catch {
            throw error.code == SQLITE_CORRUPT ? .damaged("the database is damaged where it was") : .database(error)
        }
    }
}
