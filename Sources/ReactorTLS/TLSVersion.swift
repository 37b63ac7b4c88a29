import COpenSSL

/// The versions of TLS that are spoken. Older ones are broken and deprecated (RFC 8996).
public enum TLSVersion: Comparable, Sendable {
    /// RFC 5246
    case v1_2
    /// RFC 8446
    case v1_3

    var code: Int32 { self == .v1_2 ? TLS1_2_VERSION : TLS1_3_VERSION }
}
