public import ConnectionHandling

/// What the server allows a peer. Every one is set by default.
public struct SMTPServerLimits: Sendable {
    /// The longest command line, CRLF included, in bytes. RFC 5321 section 4.5.3.1.4 asks for 512 and more for each
    /// extension; 1024 has room for those to come.
    public var commandLine = 1024
    /// Bytes of one overlong command line that are read and thrown away before the connection is closed. 64 KiB: no
    /// mistake is that long.
    public var discardedLine = 64 * 1024
    /// The largest message content, in bytes as RFC 1870 counts them. 25 MiB, what the large providers take. Lines
    /// within it may be of any length: refusing those over 1000 bytes (section 4.5.3.1.6) would lose real mail.
    public var messageSize = 25 * 1024 * 1024
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
    /// The wait for a whole command. Five minutes, RFC 5321 section 4.5.3.2.7.
    public var command: Duration = .seconds(300)
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
