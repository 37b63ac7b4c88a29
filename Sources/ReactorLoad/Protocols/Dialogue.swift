import ConnectionHandling
import ReactorWire

/// One protocol's client on one connection: writes requests and recognises their answers. It counts and times nothing.
///
/// A class, and not generic: the connection that asks it is compiled once, and an answer costs two calls.
class Dialogue {
    /// What has been read.
    enum Step {
        /// Nothing more: the next bytes are needed.
        case incomplete
        /// The session has been opened: requests may be written.
        case ready
        /// The oldest request has been answered as it should be.
        case answered
        /// The oldest request has been answered by a refusal.
        case refused
        /// The server gives no service on this connection.
        case unserved
        /// This is not the protocol, or not the answer.
        case broken
    }

    /// Requests may be written.
    var isReady: Bool { true }
    /// Further requests may be written on this connection.
    var mayContinue: Bool { true }
    /// Why the last step was not an answer.
    var complaint = ""

    /// A new connection is there.
    func begin(on connection: inout Connection) {}

    func write(on connection: inout Connection) {}

    /// Reads from `offset`, which is moved behind what needs not be shown again.
    func read(_ bytes: RawSpan, from offset: inout Int, on connection: inout Connection) -> Step { .broken }

    /// The server has ended its side: the oldest request may be answered thereby.
    func end() -> Step { .incomplete }

    /// The server says something that no request asked for, and may: that it is about to close.
    func isFarewell(_ bytes: RawSpan) -> Bool { false }

    /// Makes the dialogues of all the connections of a load: they share what they send.
    static func maker(for plan: LoadPlan) -> () -> Dialogue {
        let scheme = plan.target.scheme
        if scheme.isEcho {
            let pattern = EchoPattern(size: plan.size ?? EchoPattern.defaultSize)
            return { EchoDialogue(pattern) }
        }
        if scheme.isSMTP {
            let mail = SMTPMail(plan)
            return { SMTPDialogue(mail) }
        }
        let request = HTTPRequestText(plan)
        return { HTTPDialogue(request) }
    }

    /// Bytes of one request, roughly: what a connection may have to hold.
    static func requestSize(_ plan: LoadPlan) -> Int { plan.messageSize + 16 * 1024 }
}
