public import ConnectionHandling

/// What the server allows a peer. Every one is set by default.
public struct SMTPServerLimits: Sendable {
    /// The longest command line, CRLF included, in bytes. RFC 5321 section 4.5.3.1.4 asks for 512 and more for each
    /// extension: those offered make it 1172 for MAIL and 1040 for RCPT. 2048 has room for those to come.
    public var commandLine = 2048
    /// The longest line of a client's that belongs to AUTH, CRLF included, in bytes. 12288, RFC 4954 section 4.
    public var authenticationLine = 12288
    /// Attempts to authenticate that may fail in one session; the next one that does closes it. 3: people mistype, and who
    /// guesses has to connect anew.
    public var authenticationFailures = 3
    /// How long a client has to wait for the greeting, unless it is one that may relay; one that talks meanwhile is refused
    /// (554), as is most that was written to send spam. None: each second is one for every honest server, too. A second or
    /// more is what others do.
    public var greetDelay: Duration = .zero
    /// Bytes of one overlong command line that are read and thrown away before the connection is closed. 64 KiB: no
    /// mistake is that long.
    public var discardedLine = 64 * 1024
    /// The largest message content, in bytes as RFC 1870 counts them. 25 MiB, what the large providers take.
    public var messageSize = 25 * 1024 * 1024
    /// The longest line of a content, CRLF not included, in bytes; a BINARYMIME content has no lines. 64 KiB: to refuse those
    /// over 1000 (section 4.5.3.1.6) would lose real mail, and no mail program writes any so long.
    public var contentLine = 64 * 1024
    /// The header section of a message, in bytes; ours is not counted. 256 KiB: twice what Postfix keeps of one. Until it is
    /// whole it is held in memory, however large the message.
    public var headerSize = 256 * 1024
    /// What of one content is held in memory at most, if the store makes files for the rest; trace header included, in bytes.
    /// 256 KiB: nine messages in ten are smaller, and need no file.
    public var contentInMemory = 256 * 1024
    /// The content that all connections of a server may hold in memory together, in one process, in bytes; trace headers
    /// included. A message that would pass it is read to its end, thrown away as it comes, and refused for now (452
    /// 4.3.1). 256 MiB: ten of the largest messages at once, or thousands of usual ones, and far less than many
    /// connections could otherwise make a server hold. The memory taken is up to about twice that, since the arrays
    /// that the content grows in have room to spare.
    public var heldContent = 256 * 1024 * 1024
    /// Bytes past ``messageSize`` that are read and thrown away, in wait for the end to which the refusal is the
    /// answer, before the connection is closed. 64 MiB.
    public var discardedData = 64 * 1024 * 1024
    /// Recipients of one message. 1000; RFC 5321 section 4.5.3.1.8 asks for 100 at least.
    public var recipients = 1000
    /// `Received:` fields in a message's header, above which it is taken to go in circles. 100, as RFC 5321 section 6.3
    /// asks for.
    public var hops = 100
    /// Refused commands and messages since the last accepted message; the next one closes the session. 20.
    public var errors = 20
    /// Commands since the last accepted message that don't bring one nearer (NOOP, RSET, HELO, EHLO, VRFY, HELP); the
    /// next one closes the session. 100.
    public var idleCommands = 100
    /// Messages in one session, accepted or not; the next MAIL closes it (421). 10,000: a session that serves whom it should
    /// can serve others then.
    public var messages = 10_000
    /// Messages from one address (of IPv6: one network of 64 bits) in a minute, over all connections of the process, unless the
    /// address may relay; 0 for any number. The next MAIL is to be tried later (450). 600: a large mailing list's server
    /// seldom has more for one place.
    public var messagesPerMinute = 600
    /// As ``messagesPerMinute``, of recipients. 6000: ten to a message.
    public var recipientsPerMinute = 6_000
    /// As ``messagesPerMinute``, of AUTH commands, right or wrong; the next one is to be tried later (454). 60: an office's
    /// programs together need fewer, and each costs milliseconds of a processor, since a password is hashed thousands of times.
    /// Sessions end after few that fail, but who guesses connects anew.
    public var attemptsPerMinute = 60
    /// Addresses whose rates are remembered, those silent longest forgotten first. 10,000 take some 3 MB.
    public var clients = 10_000
    /// The wait for a whole command. Five minutes, RFC 5321 section 4.5.3.2.7.
    public var command: Duration = .seconds(300)
    /// The wait for what a policy or an authenticator decides; then the session ends. Two minutes: a client waits five for most
    /// replies (RFC 5321 section 4.5.3.2), and an answer that takes as long is seldom still to come.
    public var decision: Duration = .seconds(120)
    /// The wait for more of a message's content. Five minutes: longer than the three that section 4.5.3.2.5 grants the
    /// sender of a block.
    public var dataBlock: Duration = .seconds(300)
    /// The wait for the whole content. One hour: 25 MiB at 60 kbit/s; a peer that sends a byte a minute holds a
    /// connection no longer than that.
    public var wholeMessage: Duration = .seconds(3600)

    public init() {}
}

extension ConnectionLimits {
    /// For SMTP servers. A command may rest for five minutes (RFC 5321 section 4.5.3.2.7), and so the rate of an
    /// incomplete one, or of a message, is measured over as long.
    public static var smtpServer: ConnectionLimits {
        var limits = ConnectionLimits()
        limits.receiveRateWindow = .seconds(300)
        return limits
    }
}
