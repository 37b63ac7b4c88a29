public import HTTPTypes
import ReactorWire

extension HTTPStatus {
    /// Disfavoured, because the other type is written as a number, too.
    ///
    /// - Precondition: the code is at least 100.
    @_disfavoredOverload public init(_ status: HTTPResponse.Status) { self.init(UInt16(status.code)) }
}

extension HTTPResponse.Status {
    public init(_ status: HTTPStatus) { self.init(code: Int(status.code), reasonPhrase: "\(status.reason)") }
}

extension HTTPMethod {
    public init(_ method: HTTPRequest.Method) {
        self = HTTPMethod(Array(method.rawValue.utf8).span.bytes)
    }
}

extension HTTPRequest.Method {
    /// Nil for ``HTTPMethod/other``, which does not say which.
    public init?(_ method: HTTPMethod) {
        switch method {
        case .get: self = .get
        case .head: self = .head
        case .post: self = .post
        case .put: self = .put
        case .delete: self = .delete
        case .connect: self = .connect
        case .options: self = .options
        case .trace: self = .trace
        case .patch: self = .patch
        case .other: return nil
        }
    }
}

extension HTTPFields {
    /// Appends a field that was read and found valid.
    mutating func append(name: RawSpan, value: RawSpan) {
        guard let name = HTTPField.Name(name.text) else { return }
        append(value.withUnsafeBytes { HTTPField(name: name, value: $0) })
    }
}

extension RequestView {
    /// The head in the types of swift-http-types, made anew by each call: for what must outlive this one.
    ///
    /// The authority is what the request is for, and `Host` is among the fields as well if it was sent. The scheme is
    /// that of an absolute target, else nil.
    public var head: HTTPRequest {
        let method = HTTPRequest.Method(method) ?? HTTPRequest.Method(methodName.text) ?? .get
        var head = HTTPRequest(method: method, scheme: scheme, authority: authority?.text, path: pathAndQuery)
        head.headerFields = fields
        return head
    }

    /// All fields, made anew by each call.
    public var fields: HTTPFields {
        var fields = HTTPFields()
        fields.reserveCapacity(fieldCount)
        for index in 0..<fieldCount { fields.append(name: fieldName(index), value: fieldValue(index)) }
        return fields
    }

    private var pathAndQuery: String {
        guard let query else { return path.text }
        return path.text + "?" + query.text
    }
}
