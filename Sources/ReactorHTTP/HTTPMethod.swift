import ReactorWire

/// The request methods of RFC 9110 section 9 and RFC 5789. Methods are case-sensitive.
public enum HTTPMethod: UInt8, Sendable {
    case get, head, post, put, delete, connect, options, trace, patch
    /// Any other token: see ``RequestView/methodName``.
    case other

    init(_ name: RawSpan) {
        switch name.byteCount {
        case 3: self = name.equals("GET") ? .get : name.equals("PUT") ? .put : .other
        case 4: self = name.equals("POST") ? .post : name.equals("HEAD") ? .head : .other
        case 5: self = name.equals("PATCH") ? .patch : name.equals("TRACE") ? .trace : .other
        case 6: self = name.equals("DELETE") ? .delete : .other
        case 7: self = name.equals("OPTIONS") ? .options : name.equals("CONNECT") ? .connect : .other
        default: self = .other
        }
    }
}

/// Methods that a resource allows.
public struct HTTPMethods: OptionSet, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let get = HTTPMethods(.get)
    public static let head = HTTPMethods(.head)
    public static let post = HTTPMethods(.post)
    public static let put = HTTPMethods(.put)
    public static let delete = HTTPMethods(.delete)
    public static let options = HTTPMethods(.options)
    public static let patch = HTTPMethods(.patch)
    /// GET and HEAD.
    public static let reading: HTTPMethods = [.get, .head]

    /// Any, those that the server does not know included.
    public static let all = HTTPMethods(rawValue: (2 << HTTPMethod.other.rawValue) - 1)

    package init(_ method: HTTPMethod) { rawValue = 1 << method.rawValue }

    /// As an Allow field has them.
    package var names: String {
        let all: [(HTTPMethods, String)] = [
            (.get, "GET"), (.head, "HEAD"), (.post, "POST"), (.put, "PUT"), (.delete, "DELETE"),
            (.options, "OPTIONS"), (.patch, "PATCH"),
        ]
        return all.filter { contains($0.0) }.map(\.1).joined(separator: ", ")
    }
}
