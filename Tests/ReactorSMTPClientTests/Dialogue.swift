import ConnectionHandling
import ReactorSMTP
import ReactorTesting
import TestSupport
import Testing

/// An outcome without its report's details.
enum Seen: Equatable {
    case delivered(String), deferred(String), leftOver(String), failed(String)

    init(_ outcome: DeliveryOutcome) {
        switch outcome {
        case .delivered(let report): self = .delivered(report.text)
        case .deferred(let report): self = .deferred(report.text)
        case .leftOver(let report): self = .leftOver(report.text)
        case .failed(let report): self = .failed(report.text)
        }
    }
}

/// Hands out messages, and remembers what became of them.
final class ListSource: DeliverySource {
    var messages: [OutgoingMessage]
    var outcomes: [[Seen]] = []
    var reports: [[DeliveryReport]] = []
    var end: SMTPClientEnd?
    /// How often the next hop was found to work.
    var works = 0

    init(_ messages: [OutgoingMessage]) { self.messages = messages }

    func nextMessage() -> OutgoingMessage? { messages.isEmpty ? nil : messages.removeFirst() }
    func nextHopWorks() { works += 1 }
    func attempted(_ message: OutgoingMessage, _ outcomes: [DeliveryOutcome]) {
        #expect(outcomes.count == message.recipients.count)
        self.outcomes.append(outcomes.map(Seen.init))
        reports.append(outcomes.map(\.report))
    }
    func ended(_ end: SMTPClientEnd) {
        #expect(self.end == nil, "told of its end once")
        self.end = end
    }
}

func outgoing(
    _ content: String = "x\r\n", from sender: String = "a@a.test", to recipients: [String] = ["b@b.test"],
    body: Envelope.BodyType = .sevenBit, isInternationalized: Bool = false
) -> OutgoingMessage {
    outgoing(
        .bytes(Array(content.utf8)), from: sender, to: recipients.map { Envelope.Recipient($0) }, body: body,
        isInternationalized: isInternationalized)
}

func outgoing(
    _ content: MessageContent, from sender: String = "a@a.test", to recipients: [Envelope.Recipient] = [.init("b@b.test")],
    body: Envelope.BodyType = .sevenBit, isInternationalized: Bool = false, returnContent: Envelope.ReturnContent? = nil,
    envelopeID: String? = nil
) -> OutgoingMessage {
    OutgoingMessage(
        number: 1,
        envelope: Envelope(
            id: .random(), sender: sender, recipients: [], body: body, isInternationalized: isInternationalized,
            returnContent: returnContent, envelopeID: envelopeID, received: 0),
        recipients: recipients.enumerated().map { OutgoingMessage.Recipient(position: Int64($0), $1) }, content: content)
}

/// A client, talked to by hand.
struct Dialogue {
    let source: ListSource
    let driver: TestDriver

    init(
        _ messages: [OutgoingMessage] = [outgoing()], limits: ConnectionLimits = .default,
        options: SMTPClientOptions = SMTPClientOptions(), clientLimits: SMTPClientLimits = SMTPClientLimits()
    ) {
        source = ListSource(messages)
        driver = TestDriver(
            SMTPClientHandler(hostname: "client.test", source: source, options: options, limits: clientLimits), limits: limits)
    }

    func reply(_ text: String, _ feeding: Feeding = .whole) -> String {
        feeding.feed(Array(text.utf8), to: driver)
        return driver.takeOutput()
    }

    /// The answer to EHLO that offers these extensions.
    static func offering(_ extensions: String) -> String {
        let lines = ["next.test"] + extensions.split(separator: ",").map(String.init)
        return lines.enumerated().map { "250\($0.offset == lines.count - 1 ? " " : "-")\($0.element)\r\n" }.joined()
    }

    /// Greeted, with these extensions offered.
    static func ready(
        _ messages: [OutgoingMessage] = [outgoing()], _ extensions: String = "", options: SMTPClientOptions = SMTPClientOptions(),
        limits: SMTPClientLimits = SMTPClientLimits()
    ) -> (Dialogue, String) {
        let dialogue = Dialogue(messages, options: options, clientLimits: limits)
        _ = dialogue.reply("220 hi\r\n")
        return (dialogue, dialogue.reply(offering(extensions)))
    }
}
