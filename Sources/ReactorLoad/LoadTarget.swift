public import ConnectionHandling
import Foundation

/// What a load is put on: a URL as a server's ready line has it, taken apart.
public struct LoadTarget: Sendable {
    public enum Scheme: String, Sendable, CaseIterable {
        case http, https, smtp, smtps, echo
        case rpcHTTP = "rpc+http"
        case rpcHTTPS = "rpc+https"
        case echoTLS = "echo+tls"

        public var isTLS: Bool {
            switch self {
            case .https, .smtps, .rpcHTTPS, .echoTLS: true
            case .http, .smtp, .echo, .rpcHTTP: false
            }
        }
        public var isHTTP: Bool { self == .http || self == .https || isRPC }
        public var isRPC: Bool { self == .rpcHTTP || self == .rpcHTTPS }
        public var isSMTP: Bool { self == .smtp || self == .smtps }
        public var isEcho: Bool { self == .echo || self == .echoTLS }

        var defaultPort: UInt16 {
            switch self {
            case .http, .rpcHTTP: 80
            case .https, .rpcHTTPS: 443
            case .smtp: 25
            case .smtps: 465
            case .echo, .echoTLS: 7
            }
        }
    }

    public enum Place: Sendable {
        case address(SocketAddress)
        /// To be looked up.
        case host(String, port: UInt16)
    }

    /// As it was given.
    public let url: String
    public let scheme: Scheme
    public let place: Place
    /// The path and query of an HTTP request.
    public var path: String
    /// The host, for the Host field and for what the certificate must be for.
    public let host: String
    /// The host with the port, where that is not the scheme's.
    public let authority: String

    /// - Throws: ``LoadMistake`` if the text is no URL that a load can be put on.
    public init(parsing url: String) throws(LoadMistake) {
        self.url = url
        guard let colon = url.range(of: "://"), colon.lowerBound > url.startIndex else {
            throw LoadMistake("'\(url)' is no URL: write one such as http://127.0.0.1:8080/ or smtp://127.0.0.1:2525")
        }
        let name = url[..<colon.lowerBound].lowercased()
        guard let scheme = Scheme(rawValue: name) else {
            let known = Scheme.allCases.map(\.rawValue).joined(separator: ", ")
            let why = name.hasSuffix("+udp") || name.hasSuffix("+unix-dgram") ? "datagrams are not supported" : "no such scheme"
            throw LoadMistake("'\(url)': \(why); there are \(known)")
        }
        self.scheme = scheme
        var rest = url[colon.upperBound...].prefix { $0 != "#" }
        path = scheme.isRPC ? "/rpc" : "/"
        if rest.hasPrefix("unix:") {
            place = .address(try Self.address(String(rest), in: url))
            host = "localhost"
            authority = "localhost"
            return
        }
        if let start = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) {
            let given = String(rest[start...])
            rest = rest[..<start]
            if given != "/" { path = given.hasPrefix("/") ? given : "/" + given }
            guard scheme.isHTTP || given == "/" else { throw LoadMistake("'\(url)': \(name) has no path") }
        }
        guard !rest.isEmpty, !rest.contains("@") else { throw LoadMistake("'\(url)': write a host, such as 127.0.0.1:8080") }
        (host, place, authority) = try Self.hostAndPort(String(rest), scheme, in: url)
        try Self.check(path)
    }

    /// The path is one that may stand in a request line.
    public static func check(_ path: String) throws(LoadMistake) {
        guard path.hasPrefix("/"), path.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw LoadMistake("'\(path)' is no path: it begins with / and has its other bytes percent-encoded")
        }
    }

    private static func hostAndPort(
        _ text: String, _ scheme: Scheme, in url: String
    ) throws(LoadMistake) -> (host: String, place: Place, authority: String) {
        var (host, digits) = (text, "")
        let isBracketed = text.hasPrefix("[")
        if let colon = text.lastIndex(of: ":"), !isBracketed || text[..<colon].hasSuffix("]") {
            host = String(text[..<colon])
            digits = String(text[text.index(after: colon)...])
            guard UInt16(digits) != nil, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                throw LoadMistake("'\(url)': '\(digits)' is no port")
            }
        }
        let port = UInt16(digits) ?? scheme.defaultPort
        guard port > 0 else { throw LoadMistake("'\(url)': connections cannot be made to port 0") }
        let authority = port == scheme.defaultPort ? host : "\(host):\(port)"
        let bare = isBracketed ? String(host.dropFirst().dropLast()) : host
        let looksLikeAddress = isBracketed || host == "localhost" || host.utf8.allSatisfy { (0x2E...0x39).contains($0) }
        if looksLikeAddress { return (bare, .address(try address("\(host):\(port)", in: url)), authority) }
        let isName = !host.isEmpty && host.utf8.allSatisfy { $0 > 127 || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F || isAlphanumeric($0) }
        guard isName else { throw LoadMistake("'\(url)': '\(host)' is no host") }
        return (host, .host(host, port: port), authority)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private static func address(_ text: String, in url: String) throws(LoadMistake) -> SocketAddress {
        do { return try SocketAddress(parsing: text) } catch { throw LoadMistake("'\(url)': \(error)") }
    }
}

/// What was asked for makes no sense: said in one line, with what to do instead.
public struct LoadMistake: Error, Equatable, CustomStringConvertible, Sendable {
    public let description: String
    init(_ description: String) { self.description = description }
}

/// The load could not be put on.
public struct LoadFailure: Error, Equatable, CustomStringConvertible, Sendable {
    public let description: String
    /// Somebody ended it before there was anything to report.
    public let isInterruption: Bool

    init(_ description: String, isInterruption: Bool = false) {
        self.description = description
        self.isInterruption = isInterruption
    }
}
