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
    /// Why the host's IPv6 and IPv4 addresses are not known; nil if they are, or were not answered in time.
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
        switch (ipv6Failure.map { "\($0)" }, ipv4Failure.map { "\($0)" }) {
        case (let ipv6?, let ipv4?) where ipv6 == ipv4: reasons.append(ipv6)
        case (let ipv6, let ipv4):
            if let ipv6 { reasons.append("IPv6 addresses: \(ipv6)") }
            if let ipv4 { reasons.append("IPv4 addresses: \(ipv4)") }
        }
        if ranOutOfTime { reasons.append("the time ran out") }
        if reasons.isEmpty { reasons = ["it has no addresses"] }
        return "cannot connect to \(Self.bracketed(host)):\(port): " + reasons.joined(separator: "; ")
    }

    private static func bracketed(_ host: String) -> String { host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host }
}
