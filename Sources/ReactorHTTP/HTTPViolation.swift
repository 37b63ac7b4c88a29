/// The peer broke the protocol or a limit: the answer it gets before its connection is closed.
struct HTTPViolation: Error, Equatable {
    let status: HTTPStatus

    init(_ status: HTTPStatus) { self.status = status }

    static var badRequest: HTTPViolation { HTTPViolation(.badRequest) }
}
