import ReactorWire

/// What a server keeps of a password: enough to check it, and not enough to say it to another server (RFC 5802 section 3).
///
/// Written as in RFC 5803 and in other software: `SCRAM-SHA-256$4096:salt$StoredKey:ServerKey`, the last three in base64.
public struct SCRAMKeys: Equatable, Sendable, CustomStringConvertible {
    public let iterations: Int
    public let salt: [UInt8]
    public let storedKey: [UInt8]
    public let serverKey: [UInt8]

    /// The fewest that RFC 7677 section 4 asks for. Each log-in costs the client as many.
    public static let defaultIterations = 4096

    /// Computes the keys of a password, with a salt of its own. Takes milliseconds.
    ///
    /// - Parameter password: taken as the UTF-8 that it is; one that is not ASCII should be in NFC (RFC 8265).
    /// - Precondition: `iterations` is above 0.
    public init(password: String, iterations: Int = defaultIterations) {
        self.init(password: password, iterations: iterations, salt: SCRAMDigest.randomBytes(16))
    }

    package init(password: String, iterations: Int, salt: [UInt8]) {
        precondition(iterations > 0 && !salt.isEmpty, "a password is hashed once at least, and with salt")
        let salted = SCRAMDigest.saltedPassword(password, salt: salt, iterations: iterations)
        self.iterations = iterations
        self.salt = salt
        storedKey = SCRAMDigest.hash(SCRAMDigest.hmac(key: salted, Array("Client Key".utf8)))
        serverKey = SCRAMDigest.hmac(key: salted, Array("Server Key".utf8))
    }

    /// Keys of nobody, the same ones for a name at each time that it is tried, so that a peer cannot find out by them who is
    /// there (RFC 5802 section 9).
    init(decoyFor user: String, secret: [UInt8], iterations: Int) {
        self.iterations = max(iterations, 1)
        salt = Array(SCRAMDigest.hmac(key: secret, Array("salt \(user)".utf8)).prefix(16))
        storedKey = SCRAMDigest.hmac(key: secret, Array("stored \(user)".utf8))
        serverKey = SCRAMDigest.hmac(key: secret, Array("server \(user)".utf8))
    }

    /// Reads what ``description`` writes.
    public init(parsing text: String) throws(SCRAMKeysError) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "SCRAM-SHA-256" else { throw SCRAMKeysError() }
        let first = parts[1].split(separator: ":", omittingEmptySubsequences: false)
        let second = parts[2].split(separator: ":", omittingEmptySubsequences: false)
        guard first.count == 2, second.count == 2, let iterations = Int(first[0]), (1...10_000_000).contains(iterations),
            let salt = Base64.decode(String(first[1])), !salt.isEmpty,
            let storedKey = Base64.decode(String(second[0])), storedKey.count == 32,
            let serverKey = Base64.decode(String(second[1])), serverKey.count == 32
        else { throw SCRAMKeysError() }
        self.iterations = iterations
        self.salt = salt
        self.storedKey = storedKey
        self.serverKey = serverKey
    }

    public var description: String {
        "SCRAM-SHA-256$\(iterations):\(Base64.encode(salt))$\(Base64.encode(storedKey)):\(Base64.encode(serverKey))"
    }

    /// Whether they are those of `password`. Takes milliseconds.
    public func match(_ password: String) -> Bool {
        let other = SCRAMKeys(password: password, iterations: iterations, salt: salt)
        return SCRAMDigest.equal(storedKey, other.storedKey)
    }
}

/// The text is no SCRAM-SHA-256 key.
public struct SCRAMKeysError: Error, Equatable, Sendable, CustomStringConvertible {
    public var description: String { "not in the form SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey" }
}
