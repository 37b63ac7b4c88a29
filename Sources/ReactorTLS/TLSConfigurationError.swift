import COpenSSL

/// A context cannot be made: the fault of whoever configured it. The description is one line that names the file.
public struct TLSConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Kind: Equatable, Sendable {
        /// A file cannot be read.
        case unreadable
        /// A file, or bytes, are not what they should be.
        case malformed
        /// The private key is encrypted: nobody is there to be asked for its password.
        case encryptedKey
        /// The private key is not that of the certificate.
        case keyMismatch
        /// A name, protocol or limit that TLS cannot express.
        case invalidValue
        /// OpenSSL refused for another reason.
        case library
    }

    public let kind: Kind
    /// The file, or what else is at fault.
    public let subject: String
    public let reason: String

    init(_ kind: Kind, _ subject: String, _ reason: String) {
        self.kind = kind
        self.subject = subject
        self.reason = reason
    }

    static func unreadable(_ path: String, _ code: Int32) -> Self {
        Self(.unreadable, path, "cannot be read: \(describe(code))")
    }

    /// What OpenSSL's error queue says, which is emptied.
    static func library(_ subject: String, _ attempt: String) -> Self {
        let reason = OpenSSLErrors.take()
        return Self(.library, subject, reason.isEmpty ? attempt : "\(attempt): \(reason)")
    }

    public var description: String { "\(subject): \(reason)" }
}

enum OpenSSLErrors {
    /// The reason that stands first in the thread's error queue, which is emptied.
    static func take() -> String {
        let code = ERR_peek_error()
        defer { ERR_clear_error() }
        return code == 0 ? "" : reason(of: code)
    }

    static func reason(of code: UInt) -> String {
        guard let text = ERR_reason_error_string(code) else { return code == 0 ? "" : "OpenSSL error \(code)" }
        return String(cString: text)
    }
}
