public import ReactorHTTP

/// What a handler may return: something that is an answer, or can be made one.
public protocol ResponseConvertible: Sendable {
    /// - Throws: ``HTTPError``, or any other error for 500.
    func response(to request: Request) throws -> Response
}

extension String: ResponseConvertible {
    /// 200, as plain text.
    public func response(to request: Request) -> Response { Response(contentType: "text/plain; charset=utf-8", .text(self)) }
}

extension HTTPStatus: ResponseConvertible {
    /// An answer without a body.
    public func response(to request: Request) -> Response { Response(self) }
}

extension Optional: ResponseConvertible where Wrapped: ResponseConvertible {
    /// 404 for nil.
    public func response(to request: Request) throws -> Response {
        guard let self else { throw HTTPError(.notFound) }
        return try self.response(to: request)
    }
}
