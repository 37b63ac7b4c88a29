import ConnectionHandling
public import ReactorHTTP
import ReactorWire

/// Asks for a user's name and a proof that the client knows the password, which is not sent (RFC 7616). For clients that can do
/// nothing better: the server must keep what is as good as the password, and TLS protects a password as well.
///
/// A request that was overheard cannot be sent again, but under `fork` and `prefork`, where each process knows its own requests
/// alone.
public struct DigestAuthentication: HTTPMiddleware {
    public enum Algorithm: String, CaseIterable, Sendable {
        case sha256 = "SHA-256"
        /// For clients that know no other, curl before 7.57 and many devices.
        case md5 = "MD5"

        var digest: DigestAlgorithm { self == .md5 ? .md5 : .sha256 }
    }

    /// What the server knows of a user.
    public enum Secret: Sendable {
        case password(String)
        /// The digest of `user:realm:password`, in hexadecimal of lower case.
        case digest(String)
    }

    private let realm: String
    private let algorithms: [Algorithm]
    private let nonces: Nonces
    private let secret: @Sendable (_ user: String, Algorithm) -> Secret?

    /// - Parameters:
    ///   - algorithms: what is offered, the preferred first.
    ///   - nonceTime: how long a nonce is good; then the client is given another, and asks nobody for the password again.
    ///   - secret: of a user; nil if there is none of the name.
    /// - Throws: ``RandomnessFailure``.
    public init(
        realm: String, algorithms: [Algorithm] = Algorithm.allCases, nonceTime: Duration = .seconds(300),
        secret: @escaping @Sendable (_ user: String, Algorithm) -> Secret?
    ) throws {
        self.realm = realm
        _ = quoted(realm)
        self.algorithms = algorithms
        self.secret = secret
        nonces = try Nonces(lifetime: nonceTime)
    }

    public func received(_ request: borrowing RequestView, with response: inout ResponseWriter) {
        guard let text = request.credentials("digest") else { return challenge(&response, isStale: false) }
        guard let given = DigestCredentials(text) else { return response.sendStatus(.badRequest) }
        // Another target than the request's: a proof for something else (section 3.4.6).
        guard given.isFor(request) else { return response.sendStatus(.badRequest) }
        guard let algorithm = algorithms.first(where: { $0.rawValue.lowercased() == given.algorithm }), given.realm == realm,
            proves(given, algorithm, method: request.methodName)
        else { return challenge(&response, isStale: false) }
        // Looked at last: what a count was used for is noted, and only who knows the password may have it noted.
        guard nonces.use(given.nonce, count: given.count, at: response.now) else { return challenge(&response, isStale: true) }
        response.context[AuthenticatedUser.self] = given.user
    }

    public func sending(_ status: HTTPStatus, with response: inout ResponseWriter) { response.sendChallenges() }

    private func challenge(_ response: inout ResponseWriter, isStale: Bool) {
        guard let nonce = nonces.make(at: response.now) else { return response.sendStatus(.internalServerError) }
        response.challenge(
            HTTPStatus(401),
            algorithms.map { algorithm in
                "Digest realm=\"\(realm)\", qop=\"auth\", algorithm=\(algorithm.rawValue), nonce=\"\(nonce)\", charset=UTF-8"
                    + (isStale ? ", stale=true" : "")
            })
    }

    /// Section 3.4.1. A user that there is none of takes as long as one with a wrong password.
    private func proves(_ given: DigestCredentials, _ algorithm: Algorithm, method: RawSpan) -> Bool {
        let secret = secret(given.user, algorithm)
        let user =
            switch secret {
            case .digest(let text): text
            case .password(let password): Self.hash(algorithm, "\(given.user):\(realm):\(password)")
            case nil: Self.hash(algorithm, "\(given.user):\(realm):")
            }
        let request = Self.hash(algorithm, "\(method.text):\(given.target)")
        let expected = Self.hash(algorithm, "\(user):\(given.nonce):\(given.countText):\(given.clientNonce):auth:\(request)")
        return equalsInConstantTime(expected, given.response) && secret != nil
    }

    private static func hash(_ algorithm: Algorithm, _ text: String) -> String {
        TextCode.hex(algorithm.digest.digest(of: Array(text.utf8).span.bytes))
    }
}
