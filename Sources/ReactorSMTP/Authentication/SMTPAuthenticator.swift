/// Knows the users of a submission service (RFC 4954).
public protocol SMTPAuthenticator: Sendable {
    /// What clients are offered, the best first. Default: all three. One that has no ``SMTPVerifier/keys(_:)`` to give
    /// offers no SCRAM-SHA-256.
    var mechanisms: [SMTPMechanism] { get }

    /// The iterations of the keys that users have. Somebody who is not there seems to have as many, or else names could be told
    /// from others by the challenge of SCRAM, or by the time that a password takes. Default: ``SCRAMKeys/defaultIterations``.
    var iterations: Int { get }

    /// How to tell that a client is `user`; nil if nobody is. What is thrown makes the client try again later (454 4.7.0).
    ///
    /// On a reactor it runs on the connection's loop: it must not block.
    func verifier(of user: String) async throws -> SMTPVerifier?
}

extension SMTPAuthenticator {
    public var mechanisms: [SMTPMechanism] { SMTPMechanism.allCases }
    public var iterations: Int { SCRAMKeys.defaultIterations }
}

/// How a client says who it is.
public enum SMTPMechanism: String, CaseIterable, Sendable {
    /// RFC 7677: the password is not sent, and each side proves that it knows of it.
    case scramSHA256 = "SCRAM-SHA-256"
    /// RFC 4616.
    case plain = "PLAIN"
    /// Was never specified; some old clients have nothing else.
    case login = "LOGIN"
}

/// How to tell that somebody is who they say.
public enum SMTPVerifier: Sendable {
    /// By keys that were made of the password. They serve every mechanism.
    case keys(SCRAMKeys)
    /// By asking somebody about the password, which PLAIN and LOGIN send.
    case password(@Sendable (String) async throws -> Bool)
}

/// Users and their keys, from a text: one on each line, as `name:SCRAM-SHA-256$4096:salt$StoredKey:ServerKey`.
public struct SMTPUsers: SMTPAuthenticator {
    public let keys: [String: SCRAMKeys]
    /// What most keys have. Users whose keys have other numbers can be told from nobody.
    public let iterations: Int

    public init(_ keys: [String: SCRAMKeys]) {
        self.keys = keys
        let counts = Dictionary(keys.values.map { ($0.iterations, 1) }, uniquingKeysWith: +)
        iterations = counts.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key ?? SCRAMKeys.defaultIterations
    }

    /// Empty lines and those that begin with `#` are left out.
    public init(parsing text: String) throws(SMTPUsersError) {
        var keys: [String: SCRAMKeys] = [:]
        for (index, entry) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            if entry.isEmpty || entry.first == "#" { continue }
            guard let colon = entry.firstIndex(of: ":"), colon > entry.startIndex,
                let value = try? SCRAMKeys(parsing: String(entry[entry.index(after: colon)...])),
                keys.updateValue(value, forKey: String(entry[..<colon])) == nil
            else { throw SMTPUsersError(line: index + 1) }
        }
        self.init(keys)
    }

    public func verifier(of user: String) -> SMTPVerifier? { keys[user].map(SMTPVerifier.keys) }
}

/// A line is no user with a key, or names one again.
public struct SMTPUsersError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Counted from 1.
    public let line: Int
    public var description: String { "line \(line): write name:SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey, each name once" }
}
