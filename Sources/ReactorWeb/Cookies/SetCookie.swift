public import ReactorHTTP
import ReactorWire

/// A cookie to set, with all that RFC 6265bis section 4.1 lets a server say of it.
///
/// The defaults are the careful ones: sent over TLS only (browsers make an exception for `localhost`), kept from
/// scripts, not sent with requests that other sites cause except by following a link, and for the whole site.
public struct SetCookie: Equatable, Sendable {
    /// Which requests of other sites carry the cookie (section 5.6.7).
    public enum SameSite: String, Sendable {
        case strict = "Strict"
        case lax = "Lax"
        /// All of them; browsers then insist on ``SetCookie/isSecure``.
        case none = "None"
    }

    /// A token. With `__Secure-` or `__Host-` in front browsers refuse a cookie without the attributes that the prefix
    /// promises (section 4.1.3), and so does ``text()``.
    public var name: String
    /// Visible ASCII without quotes, commas, semicolons and backslashes: encode what else it may hold.
    public var value: String
    public var path: String? = "/"
    /// The host and all below it. Nil, which is safer: the host that sets it alone.
    public var domain: String?
    /// How long the browser keeps it, in seconds; nil: until it is closed. 0 or less removes it.
    public var maxAge: Int64?
    /// Until when the browser keeps it, in seconds since 1970; ``maxAge`` counts if both are there.
    public var expires: Int64?
    public var isSecure = true
    public var isHTTPOnly = true
    public var sameSite: SameSite? = .lax
    /// Kept apart for each site that embeds this one (CHIPS); browsers then insist on ``isSecure``.
    public var isPartitioned = false

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// What removes this cookie: path and domain must be those it was set with.
    public var removal: SetCookie {
        var removal = self
        removal.value = ""
        removal.maxAge = 0
        removal.expires = 0
        return removal
    }

    /// The value of a Set-Cookie field.
    ///
    /// - Throws: ``CookieError`` if a browser would refuse the cookie, or read another one in it.
    public func text() throws(CookieError) -> String {
        try check()
        var text = "\(name)=\(value)"
        if let path { text += "; Path=\(path)" }
        if let domain { text += "; Domain=\(domain)" }
        if let maxAge { text += "; Max-Age=\(maxAge)" }
        if let expires { text += "; Expires=\(Self.date(expires))" }
        if isSecure { text += "; Secure" }
        if isHTTPOnly { text += "; HttpOnly" }
        if let sameSite { text += "; SameSite=\(sameSite.rawValue)" }
        if isPartitioned { text += "; Partitioned" }
        return text
    }

    private static func date(_ unixSeconds: Int64) -> String {
        var output = ByteQueue()
        HTTPDate.append(unixSeconds: unixSeconds, to: &output)
        return output.bytes.text
    }

    // MARK: What browsers refuse

    /// Of name and value together (section 5.6, step 5), and of an attribute's value (section 5.6, step 6 of attributes).
    private static let longest = 4096
    private static let longestAttribute = 1024

    private func check() throws(CookieError) {
        guard !name.isEmpty, name.utf8.allSatisfy(ByteClass.isToken) else { throw .invalidName }
        guard value.utf8.allSatisfy(Self.isValue) else { throw .invalidValue }
        if name.utf8.count + value.utf8.count > Self.longest { throw .tooLong }
        if let path {
            guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count <= Self.longestAttribute, path.utf8.allSatisfy(Self.isPath)
            else { throw .invalidPath }
        }
        if let domain {
            guard !domain.isEmpty, domain.utf8.count <= Self.longestAttribute, domain.utf8.allSatisfy(Self.isDomain) else {
                throw .invalidDomain
            }
        }
        if !isSecure, sameSite == SameSite.none || isPartitioned { throw .mustBeSecure }
        // Browsers compare the prefixes without case.
        let lowercase = name.lowercased()
        if lowercase.hasPrefix("__secure-"), !isSecure { throw .prefixUnkept }
        if lowercase.hasPrefix("__host-"), !isSecure || path != "/" || domain != nil { throw .prefixUnkept }
    }

    /// `cookie-octet`.
    private static func isValue(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21, 0x23...0x2B, 0x2D...0x3A, 0x3C...0x5B, 0x5D...0x7E: true
        default: false
        }
    }

    /// `path-value`, in ASCII.
    private static func isPath(_ byte: UInt8) -> Bool { byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: ";") }

    private static func isDomain(_ byte: UInt8) -> Bool {
        ByteClass.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: ".")
    }
}

/// A cookie that cannot be set: a mistake of the application, or of the input that it took the value from.
public enum CookieError: Error, Equatable, Sendable {
    case invalidName, invalidValue, invalidPath, invalidDomain
    /// Name and value have more than 4,096 bytes.
    case tooLong
    /// `SameSite=None` and `Partitioned` are for secure cookies.
    case mustBeSecure
    /// What `__Secure-` or `__Host-` promises is not so.
    case prefixUnkept
}

extension ResponseWriter {
    /// Sends a Set-Cookie field, between `begin` and the body.
    public mutating func setCookie(_ cookie: SetCookie) throws(CookieError) {
        field("Set-Cookie", try cookie.text())
    }
}
