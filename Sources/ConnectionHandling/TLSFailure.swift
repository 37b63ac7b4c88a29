/// Why TLS ended a connection, as told by ``CloseReason/tlsFailed(_:)``.
public struct TLSFailure: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Kind: Equatable, Sendable {
        /// The handshake was not over in time.
        case handshakeTimedOut
        /// The peer closed the connection in the middle of the handshake.
        case handshakeCutOff
        /// What came is not TLS at all.
        case notTLS
        /// What came is a plain HTTP request, which was answered with 400.
        case plainHTTP
        /// The peer's certificate was refused.
        case certificate(CertificateFault)
        /// The peer refused with this alert (RFC 8446 section 6).
        case alert(UInt8)
        /// No protocol version, cipher, group or application protocol is spoken by both.
        case nothingShared
        /// The peer ended its stream without close_notify: there may have been more (RFC 8446 section 6.1).
        case truncated
        /// The peer broke the protocol in another way.
        case violation
        /// The library failed, for want of memory perhaps.
        case system
    }

    /// What is wrong with a certificate.
    public enum CertificateFault: Equatable, Sendable {
        case missing
        case expired
        case notYetValid
        /// It is its own issuer, and not trusted.
        case selfSigned
        case unknownIssuer
        /// It is for other names than the one that was connected to.
        case wrongHost
        /// It is not for servers, or not for clients.
        case wrongPurpose
        case revoked
        /// Its signature, key or form is bad, or too weak.
        case invalid
    }

    public let kind: Kind
    /// In words, for people; empty where the kind says it all.
    public let detail: String

    public init(_ kind: Kind, detail: String = "") {
        self.kind = kind
        self.detail = detail
    }

    public var description: String {
        let text =
            switch kind {
            case .handshakeTimedOut: "the TLS handshake took too long"
            case .handshakeCutOff: "the peer closed the connection during the TLS handshake"
            case .notTLS: "the peer does not speak TLS"
            case .plainHTTP: "the peer sent a plain HTTP request to a TLS port"
            case .certificate(let fault): "the peer's certificate \(fault.description)"
            case .alert(let code): "the peer refused with TLS alert \(code)"
            case .nothingShared: "the peers share no TLS version, cipher or protocol"
            case .truncated: "the peer ended the stream without close_notify"
            case .violation: "the peer broke the TLS protocol"
            case .system: "TLS failed"
            }
        return detail.isEmpty ? text : "\(text): \(detail)"
    }
}

extension TLSFailure.CertificateFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing: "is missing"
        case .expired: "has expired"
        case .notYetValid: "is not valid yet"
        case .selfSigned: "is self-signed"
        case .unknownIssuer: "is from an issuer that is not trusted"
        case .wrongHost: "is for another host"
        case .wrongPurpose: "is for another purpose"
        case .revoked: "is revoked"
        case .invalid: "is invalid"
        }
    }
}
