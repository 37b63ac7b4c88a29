import ReactorWeb

/// `/slow?ms=`: an answer that is late. Its task sleeps; its thread serves others.
enum Slow {
    static let longest = 10_000

    static func answer(_ request: Request) async throws -> Response {
        guard let milliseconds = request.withView({ $0.queryNumber("ms", 0...longest, default: 500) }) else {
            return Response(.badRequest, contentType: "text/plain; charset=utf-8", .text("ms is a number from 0 to \(longest)\n"))
        }
        try await Task.sleep(for: .milliseconds(milliseconds))
        return try .json(["milliseconds": milliseconds])
    }
}
