import ReactorWeb

/// The queue's page: how full it is, for whom, and the messages at both ends. Whole without its script, which puts the same
/// markup where it belongs.
struct QueuePage: Sendable {
    private static let template = Template(QueueMarkup.page)
    private static let message = Template(QueueMarkup.message)
    private static let recipient = Template(QueueMarkup.recipient)

    let styleVersion: String
    let scriptVersion: String
    let streams: Bool

    func markup(_ update: QueueUpdate, authority: String) -> String { Self.template.filled(values(update, authority: authority)) }

    func values(_ update: QueueUpdate, authority: String) -> [String: String] {
        [
            "css": styleVersion, "js": scriptVersion, "host": authority, "live": streams ? "stream" : "ask",
            "now": "\(Quantity.clock(update.time)) UTC", "now.iso": Quantity.iso(update.time), "problem": update.problem ?? "",
        ].merging(Self.parts.map { ($0, update.parts[$0] ?? "") }) { $1 }
    }

    static let parts = ["facts", "scope", "destinations", "oldest", "newest"]

    /// What changes on the page: markup by the name of its place.
    static func parts(_ queue: QueueSnapshot, now: Int64) -> [String: String] {
        [
            "facts": facts(queue, now), "scope": HTMLText.escaped(scope(queue)), "destinations": destinations(queue),
            "oldest": messages(queue.oldest, now), "newest": messages(queue.newest, now),
        ]
    }

    // MARK: Its parts

    private static func facts(_ queue: QueueSnapshot, _ now: Int64) -> String {
        var facts = [("Messages", Quantity.count(Double(queue.messages)))]
        facts += queue.states.map { ($0.name.prefix(1).uppercased() + $0.name.dropFirst(), Quantity.count(Double($0.count))) }
        facts += [
            ("Recipients who wait", Quantity.count(Double(queue.recipients))), ("Contents", Quantity.bytes(Double(queue.bytes))),
            ("The oldest came", queue.oldestReceived.map { "\(age($0, now)) ago" } ?? "–"),
            ("Spool", queue.place),
        ]
        return facts.map { "<div><dt>\(HTMLText.escaped($0.0))</dt><dd>\(HTMLText.escaped($0.1))</dd></div>" }.joined()
    }

    private static func scope(_ queue: QueueSnapshot) -> String {
        if queue.destinations.isEmpty { return "Nobody waits for a message." }
        let shown = queue.destinations.count, all = queue.destinationCount
        var which = all == 1 ? "One destination" : "All \(all) destinations"
        if shown < all { which = "The \(shown) fullest of \(Quantity.count(Double(all))) destinations" }
        return which + ", and recipients who wait, by the age of their messages in minutes."
    }

    private static func destinations(_ queue: QueueSnapshot) -> String {
        if queue.destinations.isEmpty { return "" }
        let bounds = zip([0] + queue.ages, queue.ages).map { "\($0)–\($1)" } + queue.ages.suffix(1).map { "\($0)+" }
        let heads = ["Destination", "All"] + bounds
        let head = heads.map { "<th scope=\"col\">\($0)</th>" }.joined()
        return "<thead><tr>\(head)</tr></thead><tbody>\(queue.destinations.map(row).joined())</tbody>"
    }

    private static func row(_ one: QueueSnapshot.Destination) -> String {
        let name = HTMLText.escaped(one.name.isEmpty ? "(none)" : one.name)
        let cells = ([one.recipients] + one.byAge).map { count in
            let text = Quantity.count(Double(count))
            return count == 0 ? "<td class=\"quiet\">\(text)</td>" : "<td>\(text)</td>"
        }
        return "<tr><th scope=\"row\"><bdi>\(name)</bdi></th>\(cells.joined())</tr>"
    }

    private static func messages(_ messages: [QueueSnapshot.Message], _ now: Int64) -> String {
        messages.isEmpty ? "<li class=\"quiet\">There is none.</li>" : messages.map { message($0, now) }.joined()
    }

    private static func message(_ one: QueueSnapshot.Message, _ now: Int64) -> String {
        var attempts = ""
        if one.attempts > 0 { attempts += " <span>\(one.attempts) \(one.attempts == 1 ? "attempt" : "attempts")</span>" }
        if let next = one.nextAttempt {
            attempts += " <span>\(next > now ? "next in \(Quantity.duration(seconds: Int(clamping: next - now)))" : "due now")</span>"
        }
        var recipients = one.recipients.map { recipient in
            Self.recipient.filled([
                "address": recipient.address, "state": recipient.state, "reply": recipient.lastReply.map(reply) ?? "",
            ])
        }
        if one.moreRecipients > 0 { recipients.append("<p class=\"quiet\">and to \(one.moreRecipients) more</p>") }
        if let problem = one.problem { recipients.append("<p class=\"quiet\">set aside:</p>" + reply(problem)) }
        return Self.message.filled([
            "id": one.id, "state": one.state, "received": age(one.received, now), "received.iso": Quantity.iso(one.received),
            "size": Quantity.bytes(Double(one.size)), "attempts": attempts, "sender": one.sender.isEmpty ? "<>" : one.sender,
            "recipients": recipients.joined(),
        ])
    }

    private static func reply(_ text: String) -> String { "<q>\(HTMLText.escaped(text))</q>" }

    private static func age(_ moment: Int64, _ now: Int64) -> String {
        Quantity.duration(seconds: Int(clamping: max(now.subtractingReportingOverflow(moment).partialValue, 0)))
    }
}
