import ConnectionHandling

/// How a host's addresses are tried one after another (RFC 8305). Every option has a default.
public struct HappyEyeballsOptions: Sendable {
    /// How long IPv4 addresses wait for the answer about IPv6 ones (Resolution Delay). 50 milliseconds, as RFC 8305
    /// section 8 has it: both answers usually come from one server, a moment apart.
    public var resolutionDelay: Duration = .milliseconds(50)
    /// How long an attempt has before the next begins beside it (Connection Attempt Delay). 250 milliseconds, as RFC 8305
    /// section 8 has it: most handshakes are over by then. Less than 10 counts as 10, which section 5 makes the least.
    public var attemptDelay: Duration = .milliseconds(250)
    /// Attempts at the preferred family before the families alternate (First Address Family Count). 1: where that family
    /// is broken, one delay is lost and no more.
    public var firstFamilyCount = 1
    /// Attempts at most. 16: more than any service needs, and four seconds' worth when none of them is answered.
    public var maxAttempts = 16
    /// Addresses of one family that are looked at; the rest of a longer answer is left out. 32: two addresses for each
    /// attempt, and answers may hold thousands.
    public var maxAddresses = 32
    /// How long all of it may take, resolution included. 30 seconds: a resolver that tries again and then an attempt
    /// with its own ten seconds (``ConnectOptions/timeout``).
    public var timeout: Duration = .seconds(30)

    public init() {}

    public static var `default`: HappyEyeballsOptions { HappyEyeballsOptions() }

    /// RFC 8305 section 5: MUST NOT be less.
    package static let leastAttemptDelay = Duration.milliseconds(10)

    var effectiveAttemptDelay: Duration { max(attemptDelay, Self.leastAttemptDelay) }
}
