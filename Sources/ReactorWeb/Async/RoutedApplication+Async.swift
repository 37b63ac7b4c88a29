import ReactorHTTP
import ReactorWire

/// The connection's side of an ``AsyncExchange``.
extension RoutedApplication {
    mutating func start(
        _ handler: @escaping @Sendable (Request) async throws -> Response, _ request: borrowing RequestView,
        with response: inout ResponseWriter
    ) {
        let owned = OwnedRequest(request)
        let exchange = AsyncExchange(owned)
        self.exchange = exchange
        let body = bodyFollows ? RequestBody(from: exchange) : RequestBody(whole: owned.body)
        let request = Request(
            owned, peer: response.peer, body: body, values: response.existingContext?.values ?? [:])
        response.awaitStep { step, starter in exchange.begin(handler, request, step, starter) }
    }

    func resume(_ exchange: AsyncExchange, _ reply: AsyncExchange.Reply, with response: inout ResponseWriter) {
        response.pausesBody = false
        response.awaitStep { step, _ in exchange.resume(reply, step) }
    }

    /// Does what the task wishes, and has it go on as soon as there is room.
    mutating func goOn(_ exchange: AsyncExchange, with response: inout ResponseWriter) {
        switch exchange.takeWish() {
        case .send(let answer):
            send(answer, with: &response)
        case .begin(let answer, let length):
            begin(answer, with: &response)
            response.startBody(length: length)
            goOnWithRoom(exchange, with: &response)
        case .write(let bytes):
            response.write(bytes.span.bytes)
            goOnWithRoom(exchange, with: &response)
        case .end(let trailers):
            response.end(trailers: trailers)
        case .body:
            // The server delivers it once this returns.
            response.pausesBody = false
        case .fail(let error):
            fail(error, exchange.path, with: &response)
        case nil:
            response.abort()
        }
    }

    /// What is backed up may be another's answer, to a request before this one.
    private mutating func goOnWithRoom(_ exchange: AsyncExchange, with response: inout ResponseWriter) {
        awaitsRoom = response.isBackedUp
        if !awaitsRoom { resume(exchange, .done, with: &response) }
    }

    private func begin(_ answer: Response, with response: inout ResponseWriter) {
        response.begin(answer.status)
        response.fields(answer.fields)
    }

    private func send(_ answer: Response, with response: inout ResponseWriter) {
        begin(answer, with: &response)
        switch answer.body.kind {
        case .bytes(let bytes):
            response.end(bytes.span.bytes)
        case .file(let file, let range):
            response.startBody(length: range.count)
            response.write(file, from: range.lowerBound, count: range.count)
            response.end()
        case .stream:
            response.abort()
        }
    }
}
