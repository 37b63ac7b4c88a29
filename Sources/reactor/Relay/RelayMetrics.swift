import Glibc
import ReactorMailQueue
import ReactorMailRelay
import ReactorSMTP

/// What a relay's parts have counted in this process.
struct RelayTallies: Sendable {
    var server: SMTPServerStatistics
    var spool: SpoolCounters
    var delivery: DeliveryStatistics
}

/// A relay's numbers at one moment, in the text format of Prometheus (version 0.0.4).
struct RelayMetrics: Sendable {
    /// Nil if it cannot be read.
    var queue: QueueStatistics?
    /// Nil where other processes have them.
    var counters: RelayTallies?

    var text: String {
        var text = MetricsText()
        addQueue(to: &text)
        if let counters {
            add(counters.server, to: &text)
            add(counters.spool, to: &text)
            add(counters.delivery, to: &text)
        }
        return text.lines
    }

    private func addQueue(to text: inout MetricsText) {
        text.gauge("reactor_queue_readable", "1 if the queue could be read, else 0", queue == nil ? 0 : 1)
        guard let queue else { return }
        text.family("reactor_queue_messages", .gauge, "Messages in the queue, by state.")
        for state in QueuedMessage.State.allCases {
            text.sample("reactor_queue_messages", (name: "state", value: state.rawValue), queue.messages[state] ?? 0)
        }
        text.gauge("reactor_queue_bytes", "Contents of all messages in the queue.", queue.bytes)
        text.gauge("reactor_queue_recipients", "Recipients who wait.", queue.recipients)
        text.gauge("reactor_queue_destinations", "Destinations that somebody waits for.", queue.destinationCount)
        let age = queue.oldest.map { max(0, Int64(time(nil)).subtractingReportingOverflow($0).partialValue) } ?? 0
        text.gauge("reactor_queue_oldest_age_seconds", "Age of the oldest message; 0 if there is none.", age)
    }

    private func add(_ server: SMTPServerStatistics, to text: inout MetricsText) {
        text.counter("reactor_smtp_sessions_total", "Sessions begun.", server.sessions)
        text.gauge("reactor_smtp_sessions", "Sessions that are open.", server.openSessions)
        text.counter("reactor_smtp_messages_total", "Messages accepted: on the disk, and answered with 250.", server.messages)
        text.counter("reactor_smtp_recipients_total", "Recipients of accepted messages.", server.recipients)
        text.counter("reactor_smtp_bytes_total", "Contents of accepted messages.", server.bytes)
        text.family("reactor_smtp_refusals_total", .counter, "Replies that refused a command or message, by the class of their code.")
        text.sample("reactor_smtp_refusals_total", (name: "class", value: "4xx"), server.postponed)
        text.sample("reactor_smtp_refusals_total", (name: "class", value: "5xx"), server.refused)
    }

    private func add(_ spool: SpoolCounters, to text: inout MetricsText) {
        text.counter("reactor_spool_stored_total", "Messages stored, notices included.", spool.stored)
        text.counter("reactor_spool_stored_bytes_total", "Their contents.", spool.storedBytes)
        text.counter("reactor_spool_attempts_total", "Attempts to deliver that were written down.", spool.recorded)
        text.counter("reactor_spool_removed_total", "Messages removed: delivered, bounced or deleted.", spool.removed)
        text.counter("reactor_spool_commits_total", "Transactions, each of which waits for the disk once.", spool.batches)
        text.counter("reactor_spool_file_syncs_total", "Contents in files that the disk was waited for.", spool.fileSyncs)
        text.counter("reactor_spool_failures_total", "What was to be written and was not, as on a full disk.", spool.failures)
        text.counter("reactor_spool_quarantined_total", "Messages set aside because they could not be read.", spool.quarantined)
    }

    private func add(_ delivery: DeliveryStatistics, to text: inout MetricsText) {
        text.family("reactor_delivery_recipients_total", .counter, "What became of attempts, for each recipient.")
        for (name, count) in [("delivered", delivery.delivered), ("deferred", delivery.deferred), ("bounced", delivery.bounced)] {
            text.sample("reactor_delivery_recipients_total", (name: "outcome", value: name), count)
        }
        text.counter("reactor_delivery_notices_total", "Notices sent to senders: failed, late, delivered.", delivery.notices)
        text.counter("reactor_delivery_connections_total", "Connections made.", delivery.connectionsMade)
        text.gauge("reactor_delivery_connections", "Connections that are open or being opened.", delivery.connections)
        text.gauge("reactor_delivery_destinations_active", "Destinations that are worked on.", delivery.activeDestinations)
        text.gauge("reactor_delivery_destinations", "Destinations that are worked on or waited for.", delivery.destinations)
        text.gauge("reactor_delivery_held_messages", "Messages in memory.", delivery.heldMessages)
    }
}

/// Names, helps and values are our own: nothing in them is to be escaped.
struct MetricsText {
    enum Kind: String { case counter, gauge }

    private(set) var lines = ""

    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        lines += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func sample(_ name: String, _ label: (name: String, value: String), _ value: some BinaryInteger) {
        lines += "\(name){\(label.name)=\"\(label.value)\"} \(value)\n"
    }

    mutating func counter(_ name: String, _ help: String, _ value: some BinaryInteger) { single(name, .counter, help, value) }
    mutating func gauge(_ name: String, _ help: String, _ value: some BinaryInteger) { single(name, .gauge, help, value) }

    private mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: some BinaryInteger) {
        family(name, kind, help)
        lines += "\(name) \(value)\n"
    }
}
