/// The client's part of SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding: the password does not cross the wire,
/// and the server proves that it knows it too.
package struct SCRAMClient: Sendable {
    /// What the server says does not hold, or is not what the limits allow.
    package enum Fault: Error, Equatable { case malformed, otherNonce, iterations(Int), system }

    /// The last message of the client, and what the server must answer it with.
    package struct Proof: Equatable, Sendable {
        package let message: String
        package let serverSignature: [UInt8]
    }

    private let credentials: SMTPCredentials
    private let nonce: String
    private let iterations: ClosedRange<Int>

    /// - Parameter nonce: printable ASCII without commas, never used before.
    package init(_ credentials: SMTPCredentials, nonce: String, iterations: ClosedRange<Int>) {
        self.credentials = credentials
        self.nonce = nonce
        self.iterations = iterations
    }

    static func makeNonce() -> String { Base64.encode(SCRAMDigest.randomBytes(18)) }

    private static let header = "n,,"
    private var bareFirst: String {
        "n=\(credentials.user.replacing("=", with: "=3D").replacing(",", with: "=2C")),r=\(nonce)"
    }

    /// The client's first message.
    package var first: String { Self.header + bareFirst }

    /// Answers the server's first message. Takes as long as its iterations do.
    package func proof(for serverFirst: String) throws(Fault) -> Proof {
        let fields = serverFirst.split(separator: ",", omittingEmptySubsequences: false)
        // An extension that is mandatory would stand first, and there is none (`m=`).
        guard fields.count >= 3, fields[0].hasPrefix("r="), fields[1].hasPrefix("s="), fields[2].hasPrefix("i="),
            let salt = Base64.decode(String(fields[1].dropFirst(2))), !salt.isEmpty,
            fields[2].utf8.dropFirst(2).allSatisfy({ (0x30...0x39).contains($0) }), let count = Int(fields[2].dropFirst(2))
        else { throw .malformed }
        let both = fields[0].dropFirst(2)
        guard both.hasPrefix(nonce), both.utf8.count > nonce.utf8.count else { throw .otherNonce }
        guard iterations.contains(count) else { throw .iterations(count) }
        let withoutProof = "c=\(Base64.encode(Array(Self.header.utf8))),r=\(both)"
        let salted = SCRAMDigest.saltedPassword(credentials.password, salt: salt, iterations: count)
        let message = Array("\(bareFirst),\(serverFirst),\(withoutProof)".utf8)
        let clientKey = SCRAMDigest.hmac(key: salted, Array("Client Key".utf8))
        let clientSignature = SCRAMDigest.hmac(key: SCRAMDigest.hash(clientKey), message)
        let serverSignature = SCRAMDigest.hmac(key: SCRAMDigest.hmac(key: salted, Array("Server Key".utf8)), message)
        // Nothing where OpenSSL has failed: it would be a proof of what everybody knows.
        if [salted, clientKey, clientSignature, serverSignature].contains([]) { throw .system }
        let proof = zip(clientKey, clientSignature).map { $0 ^ $1 }
        return Proof(message: "\(withoutProof),p=\(Base64.encode(proof))", serverSignature: serverSignature)
    }
}

extension SCRAMClient.Proof {
    /// Whether the server's last message shows that it knows the password.
    package func isAnswered(by serverFinal: String) -> Bool {
        let first = serverFinal.split(separator: ",", omittingEmptySubsequences: false)[0]
        guard first.hasPrefix("v="), let signature = Base64.decode(String(first.dropFirst(2))) else { return false }
        return SCRAMDigest.equal(signature, serverSignature)
    }
}
