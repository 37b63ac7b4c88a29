/// What the client allows the next hop. The times are those of RFC 5321 section 4.5.3.2.
public struct SMTPClientLimits: Sendable {
    /// The wait for the greeting: five minutes (4.5.3.2.1).
    public var greeting: Duration = .seconds(300)
    /// The wait for the reply to EHLO, STARTTLS, AUTH, MAIL, RCPT or RSET: five minutes (4.5.3.2.2 and 3).
    public var command: Duration = .seconds(300)
    /// The wait for the reply to DATA: two minutes (4.5.3.2.4).
    public var dataInitiation: Duration = .seconds(120)
    /// The wait for the next hop to take a block of content: three minutes (4.5.3.2.5).
    public var dataBlock: Duration = .seconds(180)
    /// The wait for the reply to the content: ten minutes (4.5.3.2.6). To give up earlier is to send the message twice.
    public var dataTermination: Duration = .seconds(600)
    /// How long a message may take from MAIL to the end of its content, however each step goes: two hours, in which 50 MiB
    /// pass at 60 kbit/s. The wait for the last reply comes on top, since to cut it short is to send the message twice.
    public var message: Duration = .seconds(2 * 3_600)
    /// The wait for the reply to QUIT: five seconds. Nothing depends on it.
    public var quit: Duration = .seconds(5)
    /// The longest line of a reply, CRLF included, in bytes. RFC 5321 section 4.5.3.1.5 says 512; servers exceed it.
    public var replyLine = 2048
    /// Lines in one reply: 128, several times what any server has extensions.
    public var replyLines = 128
    /// Rounds of PBKDF2 that a server may ask for in SCRAM. At least 4096 (RFC 7677 section 4): with fewer, whoever poses as
    /// the server can guess the password sooner. A million at most, some half a second of a processor's time.
    public var scramIterations = 4_096...1_000_000

    public init() {}
}
