import HTTPTypes
public import ReactorHTTP
import ReactorWire

/// Lets pages of other origins use this server (Fetch Standard, section 3.3), and answers what browsers ask beforehand.
///
/// It only adds fields: what an origin that is not allowed asks is answered, and the browser keeps the answer from the page.
public struct CORS: HTTPMiddleware {
    /// Whose pages may.
    public enum Origins: Sendable {
        /// Anyone's: for what needs no credentials.
        case any
        /// These, written as browsers do: `https://example.com`, without a slash at the end.
        case only([String])
    }

    private struct Allowed: ExchangeContextKey {
        typealias Value = String
    }

    private let origins: Origins
    private let originBytes: [[UInt8]]
    private let methods: String
    private let requestFields: String
    private let exposedFields: String
    private let allowsCredentials: Bool
    private let maxAge: String

    /// - Parameters:
    ///   - methods: what a preflight request is told. GET, HEAD and POST with the types that forms have need none.
    ///   - requestFields: fields beyond the usual that requests may have, such as `Content-Type` for JSON, or `Authorization`.
    ///   - exposedFields: fields of answers beyond the usual that pages may read.
    ///   - allowsCredentials: requests may bring cookies. Not with ``Origins/any``: every page could then act for the visitor.
    ///   - maxAge: how long a browser need not ask again. 10 minutes: Chromium takes at most 2 hours.
    /// - Throws: ``CORSError``.
    public init(
        origins: Origins, methods: [String] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"], requestFields: [String] = [],
        exposedFields: [String] = [], allowsCredentials: Bool = false, maxAge: Duration = .seconds(600)
    ) throws(CORSError) {
        for name in methods + requestFields + exposedFields where name.isEmpty || !name.utf8.allSatisfy(ByteClass.isToken) {
            throw .notAToken(name)
        }
        switch origins {
        case .any:
            if allowsCredentials { throw .credentialsForAnyone }
            originBytes = []
        case .only(let list):
            for origin in list where !Self.isOrigin(origin) { throw .notAnOrigin(origin) }
            originBytes = list.map { Array($0.utf8) }
        }
        // With credentials `*` is no wildcard but a name, and without it would allow all.
        for name in requestFields + exposedFields + methods where name == "*" { throw .notAToken(name) }
        self.origins = origins
        self.methods = methods.joined(separator: ", ")
        self.requestFields = requestFields.joined(separator: ", ")
        self.exposedFields = exposedFields.joined(separator: ", ")
        self.allowsCredentials = allowsCredentials
        self.maxAge = String(max(maxAge.components.seconds, 0))
    }

    /// `null` is none: every page in a sandbox has it.
    private static func isOrigin(_ text: String) -> Bool {
        guard let separator = text.firstRange(of: "://"), separator.upperBound < text.endIndex else { return false }
        let scheme = text[..<separator.lowerBound].utf8
        return !scheme.isEmpty && scheme.allSatisfy(ByteClass.isToken) && text[separator.upperBound...].utf8.allSatisfy(ByteClass.isHost)
    }

    // MARK: Requests

    public func received(_ request: borrowing RequestView, with response: inout ResponseWriter) {
        guard let origin = request.field("origin"), isAllowed(origin) else {
            return refusePreflight(request, with: &response)
        }
        response.context[Allowed.self] = origin.text
        if isPreflight(request) { answerPreflight(with: &response) }
    }

    private func isAllowed(_ origin: RawSpan) -> Bool {
        switch origins {
        case .any: true
        case .only: originBytes.contains { origin.equals($0) }
        }
    }

    /// `OPTIONS` with these two fields is a browser's question; without them it is somebody else's, and a handler's matter.
    private func isPreflight(_ request: borrowing RequestView) -> Bool {
        request.method == .options && request.field("origin") != nil && request.field("access-control-request-method") != nil
    }

    private func answerPreflight(with response: inout ResponseWriter) {
        response.begin(.noContent)
        response.field("Access-Control-Allow-Methods", methods)
        if !requestFields.isEmpty { response.field("Access-Control-Allow-Headers", requestFields) }
        response.field("Access-Control-Max-Age", maxAge)
        response.end()
    }

    /// Answered all the same, so that no handler takes it for another question: without the fields it says no.
    private func refusePreflight(_ request: borrowing RequestView, with response: inout ResponseWriter) {
        if isPreflight(request) { response.send(.noContent) }
    }

    // MARK: Answers

    public func sending(_ status: HTTPStatus, with response: inout ResponseWriter) {
        // A cache must not give one origin's answer to another; for those without an origin too.
        if case .only = origins { response.field("Vary", "Origin") }
        guard let origin = response.existingContext?[Allowed.self] else { return }
        if case .any = origins {
            response.field("Access-Control-Allow-Origin", "*")
        } else {
            response.field("Access-Control-Allow-Origin", origin)
        }
        if allowsCredentials { response.field("Access-Control-Allow-Credentials", "true") }
        if !exposedFields.isEmpty { response.field("Access-Control-Expose-Headers", exposedFields) }
    }
}

/// What ``CORS`` was given is not safe, or not what browsers understand.
public enum CORSError: Error, Equatable, Sendable {
    case notAToken(String)
    case notAnOrigin(String)
    /// Credentials need a list of origins.
    case credentialsForAnyone
}
