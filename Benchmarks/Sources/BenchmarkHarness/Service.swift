/// What is asked of a subject. Not every subject can do everything.
package enum Service: String, CaseIterable, Sendable {
    /// `GET /plaintext` on connections that stay open.
    case http = "HTTP"
    /// `GET /plaintext`, each on a connection of its own.
    case shortHTTP = "HTTP without keep-alive"
    /// What is sent comes back (RFC 862), over TCP.
    case echo = "TCP echo"
    /// What is sent comes back (RFC 862), over UDP.
    case datagramEcho = "UDP echo"
    /// Characters without end (RFC 864), over TCP.
    case characters = "character generator"
    /// `GET /plaintext` over TLS, on connections that stay open.
    case https = "HTTP over TLS"
    /// `GET /plaintext` over TLS, each on a connection of its own.
    case shortHTTPS = "HTTP over TLS without keep-alive"
    /// `GET` of a file of 1 MiB over TLS, on connections that stay open.
    case httpsFile = "files over TLS"

    /// Every name has the address 127.0.0.1 (RFC 1035).
    case names = "DNS"
    /// Looking names up in DNS: a client instead of a server.
    case lookups = "look-ups"

    package var usesTLS: Bool { self == .https || self == .shortHTTPS || self == .httpsFile }
}
