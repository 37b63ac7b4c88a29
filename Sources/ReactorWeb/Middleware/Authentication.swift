import HTTPTypes
public import ReactorHTTP
import ReactorWire

/// Who was authenticated, in an exchange's context: set by ``BasicAuthentication``, ``BearerAuthentication`` and
/// ``DigestAuthentication``, read by handlers and the access log.
public enum AuthenticatedUser: ExchangeContextKey {
    public typealias Value = String
}

/// The challenges of an answer that is on its way.
private enum Challenges: ExchangeContextKey { typealias Value = [String] }

extension ResponseWriter {
    /// Answers with `status`, and with a WWW-Authenticate field for each of `challenges` (RFC 9110 section 11.6.1).
    mutating func challenge(_ status: HTTPStatus, _ challenges: [String]) {
        context[Challenges.self] = challenges
        sendStatus(status)
    }

    /// To be called when the answer is being sent.
    mutating func sendChallenges() {
        guard let context = existingContext, let challenges = context[Challenges.self] else { return }
        context[Challenges.self] = nil
        for challenge in challenges { field("WWW-Authenticate", challenge) }
    }
}

extension RequestView {
    /// What stands behind the scheme in the Authorization field, if it is the one given, in lower case; nil without one. Two
    /// such fields are none: which of them another reader would take is not known.
    @_lifetime(copy self)
    func credentials(_ scheme: StaticString) -> RawSpan? {
        var found: RawSpan?
        for index in 0..<fieldCount where fieldName(index).equalsIgnoringCase("authorization") {
            if found != nil { return nil }
            found = fieldValue(index)
        }
        guard let field = found, let space = field.firstIndex(of: UInt8(ascii: " ")), field.slice(0..<space).equalsIgnoringCase(scheme)
        else { return nil }
        return field.slice(space + 1..<field.byteCount).trimmed
    }
}

/// A text in quotes for a challenge.
///
/// - Precondition: it is visible ASCII without quotes and backslashes, which not all clients read alike.
func quoted(_ text: String) -> String {
    precondition(
        text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") },
        "a realm is visible ASCII, without quotes and backslashes")
    return "\"\(text)\""
}
