import ConnectionHandling
import ReactorWeb

/// `/slow?ms=`: an answer that is late. The connection waits; its thread serves others.
struct Slow: HTTPApplication {
    static let longest = 10_000

    private var awaited: Awaited<Int>?

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        guard let milliseconds = request.queryNumber("ms", 0...Self.longest, default: 500) else {
            return response.refuse("ms is a number from 0 to \(Self.longest)")
        }
        awaited = response.await {
            try await Task.sleep(for: .milliseconds(milliseconds))
            return milliseconds
        }
    }

    mutating func answered(_ response: inout ResponseWriter) {
        guard case .success(let milliseconds)? = awaited?.take() else { return response.sendStatus(.internalServerError) }
        response.send(.ok, json: ["milliseconds": milliseconds])
    }
}
