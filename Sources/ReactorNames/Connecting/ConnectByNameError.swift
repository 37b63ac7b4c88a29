public import ConnectionHandling
import Glibc
public import Reactor

/// No connection to a host, by name: what became of each address, and of the questions for them.
public struct ConnectByNameError: Error, Sendable, CustomStringConvertible {
    /// An address that was tried, and why it could not be connected to: `ETIMEDOUT` also where the time for all of them
    /// ran out.
    public struct Attempt: Sendable {
        public let address: SocketAddress
        public let error: SystemError

        init(_ address: SocketAddress, _ error: SystemError) {
            self.address = address
            self.error = error
        }

        init(outOfTime address: SocketAddress) {
            self.init(address, SystemError("connect to \(address)", errno: ETIMEDOUT, address: address))
        }
    }

    /// As it was asked for.
    public let host: String
    public let port: UInt16
    /// In the order in which they began.
    public internal(set) var attempts: [Attempt] = []
    /// Why the host's IPv6 and IPv4 addresses are not known; nil if they are, if there are none, or if the answer did not
    /// come in time.
    public internal(set) var ipv6Failure: ResolutionError?
    public internal(set) var ipv4Failure: ResolutionError?
    /// Addresses that were known, and left untried (``HappyEyeballsOptions/maxAttempts``, or for lack of time).
    public internal(set) var untried = 0
    /// ``HappyEyeballsOptions/timeout`` passed.
    public internal(set) var ranOutOfTime = false

    init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// In one line.
    public var description: String {
        var reasons = attempts.map { "\($0.address): \(String(cString: strerror($0.error.errno)))" }
        if untried > 0 { reasons.append("\(untried) more not tried") }
        let failures = [ipv6Failure, ipv4Failure].compactMap { $0.map { "\($0)" } }
        // Of a name that does not exist, once is enough.
        let untyped = failures.map { $0.replacing(" (AAAA)", with: "").replacing(" (A)", with: "") }
        reasons += Set(untyped).count == 1 ? Array(untyped.prefix(1)) : failures
        if ranOutOfTime { reasons.append("the time ran out") }
        if reasons.isEmpty { reasons = ["it has no addresses"] }
        return "cannot connect to \(Self.bracketed(printable(host))):\(port): " + reasons.joined(separator: "; ")
    }

    private static func bracketed(_ host: String) -> String { host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host }
}
