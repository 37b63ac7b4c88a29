/// Where an ``SMTPClientHandler`` gets its messages, and whom it tells what became of them. Called from within the
/// handler's calls, on its thread.
public protocol DeliverySource: AnyObject {
    /// The next message for this connection. Nil ends the session.
    func nextMessage() -> OutgoingMessage?

    /// The next hop gives service: it has answered MAIL, and not by closing. Called for each message.
    func nextHopWorks()

    /// The attempt to deliver is over. One outcome for each of the message's recipients, in their order.
    func attempted(_ message: OutgoingMessage, _ outcomes: [DeliveryOutcome])

    /// The connection is gone; called once, last.
    func ended(_ end: SMTPClientEnd)
}

/// How a client's connection ended.
public enum SMTPClientEnd: Equatable, Sendable {
    /// By QUIT, when there were no more messages.
    case finished
    /// The next hop refused service, broke the protocol, or went away; no message after those attempted was touched. The
    /// status tells why: of class 5 where it said that it never serves, 4.7.4 and 4.7.5 where the TLS that the options require
    /// could not be had.
    case unusable(DeliveryReport)
    /// TLS was offered and tried, and failed before any message was touched: one more attempt without it is in order, since
    /// the options do not require it (RFC 7435 section 3).
    case tlsFailed(DeliveryReport)
}
