import ReactorHTTP
import ReactorWire

/// What an Authorization field of the Digest scheme says (RFC 7616 section 3.4).
struct DigestCredentials: Equatable {
    let user: String
    let realm: String
    let target: String
    let nonce: String
    let clientNonce: String
    /// In lower case; MD5 where none is named.
    let algorithm: String
    /// Eight hexadecimal digits, as they are in what was hashed.
    let countText: String
    let count: UInt32
    /// In lower case.
    let response: String

    /// The longest value of a parameter, in bytes, beside the target.
    private static let longest = 256

    /// Nil if the syntax is broken, a parameter is missing or stands twice, or the protection is another than `auth`. User names
    /// are taken as `username` and as `username*`, not hashed.
    init?(_ bytes: RawSpan) {
        guard let list = AuthParameters(bytes) else { return nil }
        func text(_ name: String, atMost limit: Int = Self.longest) -> String? {
            guard let value = list[name], value.count <= limit else { return nil }
            return String(validating: value, as: UTF8.self)
        }
        guard let realm = text("realm"), let target = text("uri", atMost: .max), let nonce = text("nonce"),
            let clientNonce = text("cnonce"), !clientNonce.isEmpty, let response = text("response"), let countText = text("nc"),
            text("qop")?.lowercased() == "auth", text("userhash").map({ $0.lowercased() == "false" }) ?? true,
            countText.utf8.count == 8, countText.utf8.allSatisfy({ hexDigit($0) != nil }), let count = UInt32(countText, radix: 16)
        else { return nil }
        switch (text("username"), list["username*"]) {
        case (let user?, nil): self.user = user
        case (nil, let extended?):
            guard extended.count <= Self.longest, let user = Self.extended(extended) else { return nil }
            self.user = user
        default: return nil
        }
        self.realm = realm
        self.target = target
        self.nonce = nonce
        self.clientNonce = clientNonce
        self.countText = countText
        self.count = count
        self.response = response.lowercased()
        algorithm = list["algorithm"] == nil ? "md5" : text("algorithm")?.lowercased() ?? ""
    }

    /// `UTF-8''J%C3%A4s`, RFC 8187.
    private static func extended(_ value: [UInt8]) -> String? {
        let parts = value.split(separator: UInt8(ascii: "'"), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, String(decoding: parts[0], as: UTF8.self).lowercased() == "utf-8" else { return nil }
        var decoded: [UInt8] = []
        var rest = parts[2]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                decoded.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else { return nil }
            decoded.append(high << 4 | low)
        }
        return String(validating: decoded, as: UTF8.self)
    }

    /// Whether the target is that of the request: path and query as they were sent.
    func isFor(_ request: borrowing RequestView) -> Bool {
        var expected = request.path.array
        if let query = request.query { expected += [UInt8(ascii: "?")] + query.array }
        return Array(target.utf8) == expected
    }
}

/// `name=value, name="value"`, as credentials have them (RFC 9110 section 11.4).
struct AuthParameters {
    private var values: [(name: String, value: [UInt8])] = []
    /// Digest has eleven.
    private static let most = 16

    subscript(name: String) -> [UInt8]? { values.first { $0.name == name }?.value }

    init?(_ bytes: RawSpan) {
        var offset = 0
        while true {
            while offset < bytes.byteCount, ByteClass.isSpace(bytes[offset]) || bytes[offset] == UInt8(ascii: ",") { offset += 1 }
            if offset == bytes.byteCount { return }
            guard let parameter = FieldParameters.parameter(bytes, &offset), values.count < Self.most, self[parameter.name] == nil
            else { return nil }
            values.append((parameter.name, parameter.value))
            while offset < bytes.byteCount, ByteClass.isSpace(bytes[offset]) { offset += 1 }
            if offset < bytes.byteCount, bytes[offset] != UInt8(ascii: ",") { return nil }
        }
    }
}
