/// What is asked of a subject. Not every subject can do everything.
package enum Service: String, CaseIterable, Sendable {
    /// `GET /plaintext` on connections that stay open.
    case http = "HTTP"
    /// `GET /plaintext`, each on a connection of its own.
    case shortHTTP = "HTTP without keep-alive"
    /// `GET /block`: the handler's thread sleeps for 1 ms, as it would for a database.
    case block = "HTTP that blocks"
    /// `GET /burn`: the handler takes 1 ms of CPU.
    case burn = "HTTP that burns CPU"
    /// `GET /mix`: of ten requests one blocks for 1 ms, one burns 1 ms, and eight do neither.
    case mix = "HTTP that blocks or burns now and then"
    /// `GET /bytes?n=65536`: 64 KiB out of memory, on connections that stay open.
    case bytes = "bodies of 64 KiB"
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

    /// `POST /rpc`: calls of `subtract` (JSON-RPC 2.0), on connections that stay open.
    case rpc = "JSON-RPC"

    /// Mail is taken and dropped (RFC 5321).
    case sink = "mail sink"
    /// Mail is taken, kept and given to the next hop (RFC 5321).
    case mail = "mail relay"

    /// Every name has the address 127.0.0.1 (RFC 1035).
    case names = "DNS"
    /// Looking names up in DNS: a client instead of a server.
    case lookups = "look-ups"

    package var usesTLS: Bool { self == .https || self == .shortHTTPS || self == .httpsFile }

    /// Each request is on a connection of its own.
    var isShort: Bool { self == .shortHTTP || self == .shortHTTPS }

    /// The file of ``Material`` that is asked for; nil if it is no file.
    var file: Material.File? {
        switch self {
        case .kibibyte: .kibibyte
        case .kibibytes64: .kibibytes64
        case .mebibytes10: .mebibytes10
        default: nil
        }
    }

    /// The ``Material`` is needed.
    var usesMaterial: Bool { usesTLS || file != nil || self == .bytes }

    /// What is asked for.
    package var path: String {
        switch self {
        case .json: "/json"
        case .asyncHTTP: "/plaintext-async"
        case .block: "/block"
        case .burn: "/burn"
        case .mix: "/mix"
        case .bytes: "/bytes?n=65536"
        case .rpc: "/rpc"
        default: "/\(file?.rawValue ?? "plaintext")"
        }
    }

    /// Where it is at a port, as wrk and `reactor load` take it.
    func url(port: UInt16) -> String {
        let address = "127.0.0.1:\(port)"
        return switch self {
        case .rpc: "rpc+http://\(address)\(path)"
        case .sink, .mail: "smtp://\(address)"
        case .echo: "echo://\(address)"
        default: "\(usesTLS ? "https" : "http")://\(address)\(path)"
        }
    }
}
