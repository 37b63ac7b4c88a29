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
    /// `GET /json`, an object encoded for each answer, on connections that stay open.
    case json = "JSON"
    /// `GET /plaintext-async`: what ``http`` is, by a handler that may suspend and doesn't.
    case asyncHTTP = "HTTP by an async handler"
    /// `GET` of a file, on connections that stay open.
    case kibibyte = "files of 1 KiB"
    case kibibytes64 = "files of 64 KiB"
    case mebibytes10 = "files of 10 MiB"
    /// Reading the heads of HTTP requests: a program that ends by itself instead of a server.
    case heads = "HTTP heads"

    /// Mail is taken, kept and given to the next hop (RFC 5321).
    case mail = "mail relay"

    /// Every name has the address 127.0.0.1 (RFC 1035).
    case names = "DNS"
    /// Looking names up in DNS: a client instead of a server.
    case lookups = "look-ups"

    package var usesTLS: Bool { self == .https || self == .shortHTTPS || self == .httpsFile }

    /// The file of ``Material`` that is asked for; nil if it is no file.
    var file: Material.File? {
        switch self {
        case .kibibyte: .kibibyte
        case .kibibytes64: .kibibytes64
        case .mebibytes10: .mebibytes10
        default: nil
        }
    }

    /// What is asked for.
    package var path: String {
        switch self {
        case .json: "/json"
        case .asyncHTTP: "/plaintext-async"
        default: "/\(file?.rawValue ?? "plaintext")"
        }
    }
}
