import ConnectionHandling
import Glibc

/// What an SMTP server calls itself: a domain name or an address literal (RFC 5321 section 4.1.2). It stands in replies
/// and trace headers, where anything else could begin a line of its own.
struct HostName {
    let text: String

    init?(_ text: String) {
        guard Self.isDomain(text) || Self.isAddressLiteral(text) else { return nil }
        self.text = text
    }

    /// This machine's, as far as it has one.
    static var ofThisMachine: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
        let text = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return HostName(text)?.text ?? "localhost"
    }

    /// Labels of letters, digits and hyphens, 63 bytes at most, 255 in all, with no hyphen first or last.
    private static func isDomain(_ text: String) -> Bool {
        let hyphen = UInt8(ascii: "-")
        return text.utf8.count <= 255
            && text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
                (1...63).contains(label.count) && label.first != hyphen && label.last != hyphen
                    && label.allSatisfy { $0 == hyphen || isLetterOrDigit($0) }
            }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// `[192.0.2.1]` or `[IPv6:2001:db8::1]` (section 4.1.3).
    private static func isAddressLiteral(_ text: String) -> Bool {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return false }
        let address = String(text.dropFirst().dropLast())
        guard address.lowercased().hasPrefix("ipv6:") else { return SocketAddress.ipv4Number(address) != nil }
        return SocketAddress.ipv6Halves(String(address.dropFirst(5))) != nil
    }
}
