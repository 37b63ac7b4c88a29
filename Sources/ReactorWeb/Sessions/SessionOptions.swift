/// How sessions are named, and how long they last.
public struct SessionOptions: Sendable {
    /// The cookie, without its value. `__Host-` has browsers refuse it from anyone but this host over TLS.
    public var cookie = SetCookie("__Host-session", "")
    /// A session is over when it was not used for so long. 30 minutes: what OWASP gives for applications of low risk.
    public var idle: Duration = .seconds(30 * 60)
    /// A session is over so long after it began, whatever its use. 12 hours: a long day's work.
    public var absolute: Duration = .seconds(12 * 60 * 60)
    /// A use is written down when the last that was is so old: not every request need write to the store. One minute.
    public var touchInterval: Duration = .seconds(60)
    /// The largest value of a session, in bytes of JSON. 64 KiB.
    public var longestData = 64 * 1024

    public init() {}

    public static var `default`: SessionOptions { SessionOptions() }
}

/// A session could not be saved.
public enum SessionError: Error, Equatable, Sendable {
    /// Its value has more bytes than ``SessionOptions/longestData``.
    case tooLarge
    /// It has ended meanwhile: another request destroyed it, or gave it another id.
    case ended
}
