/// The client's side of one AUTH command (RFC 4954 section 4): what to send, and what to make of each challenge.
struct ClientAuthentication {
    /// The best first.
    enum Mechanism: String, CaseIterable {
        case scramSHA256 = "SCRAM-SHA-256"
        case plain = "PLAIN"
        case login = "LOGIN"
    }

    enum Step {
        /// A line in base64.
        case send(String)
        /// To be computed from the server's challenge; then ``ClientAuthentication/proved(_:)``.
        case prove(SCRAMClient, String)
        case fail(String)
    }

    /// Which challenge is awaited.
    private enum State {
        /// The empty one, where the first response did not fit into the command.
        indirect case first(String, then: State)
        case user, password
        case serverFirst(SCRAMClient)
        case serverFinal(SCRAMClient.Proof)
        /// None: 235.
        case success
    }

    let command: String
    private let credentials: SMTPCredentials
    private var state: State

    /// In bytes, CRLF not included: the command's length is not extended (RFC 4954 section 4, RFC 5321 section 4.5.3.1.4).
    private static let maxCommand = 510

    static func best(of offered: Set<String>) -> Mechanism? { Mechanism.allCases.first { offered.contains($0.rawValue) } }

    init(_ mechanism: Mechanism, _ credentials: SMTPCredentials, iterations: ClosedRange<Int>) {
        self.credentials = credentials
        let (first, next): (String?, State) =
            switch mechanism {
            case .plain: ("\0\(credentials.user)\0\(credentials.password)", .success)
            case .login: (nil, .user)
            case .scramSHA256: Self.scram(SCRAMClient(credentials, nonce: SCRAMClient.makeNonce(), iterations: iterations))
            }
        let encoded = first.map { Base64.encode(Array($0.utf8)) }
        let whole = "AUTH \(mechanism.rawValue)" + (encoded.map { " " + $0 } ?? "")
        if let encoded, whole.utf8.count > Self.maxCommand {
            command = "AUTH \(mechanism.rawValue)"
            state = .first(encoded, then: next)
        } else {
            command = whole
            state = next
        }
    }

    private static func scram(_ client: SCRAMClient) -> (String?, State) { (client.first, .serverFirst(client)) }

    /// What to do with a challenge, the text of a 334.
    mutating func answer(_ challenge: String) -> Step {
        switch state {
        case .first(let response, let next):
            state = next
            return .send(response)
        case .user:
            state = .password
            return .send(Base64.encode(Array(credentials.user.utf8)))
        case .password:
            state = .success
            return .send(Base64.encode(Array(credentials.password.utf8)))
        case .serverFirst(let client):
            guard let text = Self.text(challenge) else { return .fail("a challenge is not base64") }
            return .prove(client, text)
        case .serverFinal(let proof):
            guard let text = Self.text(challenge), proof.isAnswered(by: text) else {
                return .fail("the server did not prove that it knows the password")
            }
            state = .success
            return .send("")
        case .success:
            return .fail("a challenge too many")
        }
    }

    mutating func proved(_ proof: SCRAMClient.Proof) -> Step {
        state = .serverFinal(proof)
        return .send(Base64.encode(Array(proof.message.utf8)))
    }

    /// The server may say so now: it has proved itself, as far as the mechanism has it do so.
    var maySucceed: Bool { if case .success = state { true } else { false } }

    private static func text(_ challenge: String) -> String? {
        Base64.decode(challenge).flatMap { String(validating: $0, as: UTF8.self) }
    }
}
