/// A content coding (RFC 9110 section 8.4.1), by its registered name.
public enum ContentCoding: String, CaseIterable, Sendable {
    case gzip, deflate, br, zstd
}
