public import ConnectionHandling
import Glibc
public import ReactorNames
public import ReactorSMTP
public import ReactorTLS

/// A server that takes mail, and how to speak with it.
public struct MailServer: Sendable {
    public enum Place: Sendable {
        /// Looked up in the DNS; the certificate must be for it.
        case host(String, ServicePort)
        /// A Unix-domain socket, or an address without a name.
        case address(SocketAddress)
    }

    public enum Security: Sendable {
        case none
        /// STARTTLS where that is offered; and in plain if it is not, or if it fails (RFC 7435). Protects from those who
        /// listen, not from those who stand in between. With credentials it is ``required``, unless they may be sent in plain.
        case opportunistic
        /// STARTTLS, with a certificate that is trusted, or nothing is sent.
        case required
        /// TLS from the first byte, with a certificate that is trusted.
        case implicit
    }

    public var place: Place
    public var security = Security.opportunistic
    /// Makes sessions, and says what is trusted. Nil: the system's authorities; under ``Security/opportunistic`` anybody, since
    /// the alternative is no protection at all.
    public var tls: TLSClientContext?
    public var credentials: SMTPCredentials?
    /// Sends credentials in plain too; see ``SMTPClientOptions/authenticatesInPlain``.
    public var authenticatesInPlain = false
    /// Speaks LMTP (RFC 2033).
    public var isLMTP = false
    /// How the client calls itself: by default this machine's name, if it is one that a domain may have.
    public var hostname = MailServer.nameOfThisMachine
    public var limits = SMTPClientLimits()
    /// Shown the session; see ``SMTPClientOptions/transcript``.
    public var transcript: (@Sendable (SMTPTranscriptLine) -> Void)?

    public init(host: String, port: ServicePort = 25) { place = .host(host, port) }
    public init(address: SocketAddress) { place = .address(address) }

    private static var nameOfThisMachine: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        let text = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return labels.allSatisfy { (1...63).contains($0.count) && $0.allSatisfy(isOfLabel) } ? text : "localhost"
    }

    private static func isOfLabel(_ byte: UInt8) -> Bool {
        let character = Character(UnicodeScalar(byte))
        return character.isASCII && (character.isLetter || character.isNumber || character == "-")
    }

    /// Whoever stands in between would read a password, too: where one is sent the server has to show who it is.
    var protection: Security {
        security == .opportunistic && credentials != nil && !authenticatesInPlain ? .required : security
    }

    /// What a certificate must be for.
    var name: String {
        switch place {
        case .host(let host, _): host
        case .address(.unix): "localhost"
        case .address(let address): address.hostText
        }
    }
}

extension SocketAddress {
    /// Without the port.
    fileprivate var hostText: String {
        let text = "\(self)"
        guard let colon = text.lastIndex(of: ":") else { return text }
        return String(text[..<colon].drop { $0 == "[" }.prefix { $0 != "]" })
    }
}
