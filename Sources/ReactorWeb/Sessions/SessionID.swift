import ReactorWire

/// Names a session: 128 random bits. What a browser is given is the id with its signature.
public struct SessionID: Hashable, Sendable {
    /// 22 characters of base64url.
    public let text: String

    static let byteCount = 16

    fileprivate init(_ bytes: [UInt8]) { text = TextCode.base64URL(bytes) }

    static func random() throws(RandomnessFailure) -> SessionID { SessionID(try randomBytes(byteCount)) }
}

/// The keys that session ids are signed with, the current one first. Behind it stand those of before: what they have signed
/// is still taken, and signed anew with the current one. To change keys, put a new one in front, and drop the last when the
/// sessions that it signed have ended.
public struct SessionKeys: Sendable {
    private let keys: [[UInt8]]

    /// - Throws: ``SessionKeyError`` for no key, or one of fewer than 32 bytes: HMAC-SHA256 would be the weaker for it.
    public init(_ keys: [[UInt8]]) throws(SessionKeyError) {
        if keys.isEmpty { throw .none }
        for key in keys where key.count < 32 { throw .tooShort }
        self.keys = keys
    }

    /// A key of its own, for servers whose sessions end with them.
    public static func random() throws -> SessionKeys { try SessionKeys([try randomBytes(32)]) }

    /// The id and its signature, `id.signature`, as the cookie has it.
    func sign(_ id: SessionID) -> String { id.text + "." + TextCode.base64URL(Self.signature(id, keys[0])) }

    private static func signature(_ id: SessionID, _ key: [UInt8]) -> [UInt8] {
        hmacSHA256(key: key, Array("session.\(id.text)".utf8).span.bytes)
    }

    /// The id that was signed; nil for what none of the keys has signed.
    ///
    /// - Returns: whether the current key has signed it.
    func verify(_ text: RawSpan) -> (id: SessionID, isCurrent: Bool)? {
        guard text.byteCount < 128, let dot = text.firstIndex(of: UInt8(ascii: ".")),
            let bytes = TextCode.decodeBase64(text.slice(0..<dot), .url), bytes.count == SessionID.byteCount,
            let given = TextCode.decodeBase64(text.slice(dot + 1..<text.byteCount), .url)
        else { return nil }
        let id = SessionID(bytes)
        for (index, key) in keys.enumerated() where equalsInConstantTime(Self.signature(id, key), given) {
            return (id, index == 0)
        }
        return nil
    }
}

/// The keys for sessions cannot be used.
public enum SessionKeyError: Error, Equatable, Sendable {
    case none
    case tooShort
}
