import ReactorWire

/// The server's side of SCRAM-SHA-256 without channel binding (RFC 5802 section 5, RFC 7677).
struct SCRAMServer {
    /// What the client has said first.
    struct ClientFirst: Equatable {
        var user: String
        /// `n,,` or the like, which the client repeats at the end.
        var header: String
        /// What of the message is part of what both sign.
        var bare: String
        var nonce: String

        /// Nil if it is malformed, asks for what there is not, or would act for somebody else.
        init?(_ message: [UInt8]) {
            guard let text = String(validating: message, as: UTF8.self),
                text.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 })
            else { return nil }
            let parts = text.split(separator: ",", maxSplits: 2, omittingEmptySubsequences: false)
            // `y`: the client could bind the channel and believes that the server cannot, which is so.
            guard parts.count == 3, parts[0] == "n" || parts[0] == "y" else { return nil }
            header = "\(parts[0]),\(parts[1]),"
            bare = String(parts[2])
            // `m=` would stand first: an extension that must be understood.
            let attributes = bare.split(separator: ",", omittingEmptySubsequences: false)
            guard attributes.count >= 2, attributes[0].hasPrefix("n="), attributes[1].hasPrefix("r="),
                let user = Self.name(attributes[0].dropFirst(2))
            else { return nil }
            self.user = user
            nonce = String(attributes[1].dropFirst(2))
            if nonce.isEmpty || !nonce.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) { return nil }
            if !parts[1].isEmpty, !parts[1].hasPrefix("a=") || Self.name(parts[1].dropFirst(2)) != user { return nil }
        }

        /// A name with `=2C` for a comma and `=3D` for an equals sign.
        private static func name(_ text: Substring) -> String? {
            var name = ""
            var rest = text
            while let character = rest.popFirst() {
                guard character == "=" else {
                    name.append(character)
                    continue
                }
                if rest.hasPrefix("2C") { name.append(",") } else if rest.hasPrefix("3D") { name.append("=") } else { return nil }
                rest = rest.dropFirst(2)
            }
            return UserName.parse(name.utf8)
        }
    }

    let first: ClientFirst
    private let keys: SCRAMKeys
    private let nonce: String
    /// The server's first message.
    let challenge: String

    /// - Parameter serverNonce: printable ASCII without a comma, never used before.
    init(_ first: ClientFirst, keys: SCRAMKeys, serverNonce: String = Base64.encode(SCRAMDigest.randomBytes(18))) {
        self.first = first
        self.keys = keys
        nonce = first.nonce + serverNonce
        challenge = "r=\(nonce),s=\(Base64.encode(keys.salt)),i=\(keys.iterations)"
    }

    /// Checks the client's proof.
    ///
    /// - Returns: the server's own proof, its last message; nil if the client does not know the password.
    func verify(_ message: [UInt8]) -> String? {
        guard let text = String(validating: message, as: UTF8.self), let comma = text.utf8.lastIndex(of: UInt8(ascii: ",")),
            text[comma...].hasPrefix(",p=")
        else { return nil }
        let withoutProof = String(text[..<comma])
        let attributes = withoutProof.split(separator: ",", omittingEmptySubsequences: false)
        guard attributes.count >= 2, attributes[0] == "c=\(Base64.encode(Array(first.header.utf8)))", attributes[1] == "r=\(nonce)",
            let proof = Base64.decode(String(text[comma...].dropFirst(3))), proof.count == 32
        else { return nil }
        let signed = Array("\(first.bare),\(challenge),\(withoutProof)".utf8)
        let signature = SCRAMDigest.hmac(key: keys.storedKey, signed)
        guard signature.count == 32 else { return nil }
        let clientKey = zip(proof, signature).map { $0 ^ $1 }
        guard SCRAMDigest.equal(SCRAMDigest.hash(clientKey), keys.storedKey) else { return nil }
        return "v=\(Base64.encode(SCRAMDigest.hmac(key: keys.serverKey, signed)))"
    }
}

/// The message of PLAIN (RFC 4616): whom to act for, who one is, and the password, each behind a NUL but the first.
struct PlainMessage: Equatable {
    var user: String
    var password: String

    /// Nil if it is malformed, or would act for somebody else.
    init?(_ message: [UInt8]) {
        let parts = message.split(separator: 0, omittingEmptySubsequences: false)
        guard parts.count == 3, let authority = String(validating: parts[0], as: UTF8.self),
            let user = UserName.parse(parts[1]), let password = String(validating: parts[2], as: UTF8.self),
            !password.isEmpty, authority.isEmpty || authority == user
        else { return nil }
        self.user = user
        self.password = password
    }
}
