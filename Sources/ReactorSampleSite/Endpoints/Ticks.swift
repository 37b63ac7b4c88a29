import ConnectionHandling
import ReactorWeb

/// `/sse?count=&ms=`: so many server-sent events, so far apart.
struct Ticks: HTTPApplication {
    static let most = 1_000
    static let longest = 10_000

    private var count = 0
    private var sent = 0
    private var interval = Duration.zero
    private var awaited: Awaited<Void>?

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        guard let count = request.queryNumber("count", 1...Self.most, default: 10),
            let milliseconds = request.queryNumber("ms", 10...Self.longest, default: 1_000)
        else { return response.refuse("count is a number from 1 to \(Self.most), and ms one from 10 to \(Self.longest)") }
        (self.count, sent, interval) = (count, 0, .milliseconds(milliseconds))
        response.startEvents()
        if request.method == .head { return response.end() }
        tick(&response)
    }

    mutating func answered(_ response: inout ResponseWriter) {
        // Cut off where the wait was: the server stops.
        guard case .success? = awaited?.take() else { return response.abort() }
        tick(&response)
    }

    mutating func drained(_ response: inout ResponseWriter) { wait(&response) }

    private mutating func tick(_ response: inout ResponseWriter) {
        sent += 1
        response.send(ServerSentEvent("event \(sent) of \(count)", event: "tick", id: String(sent)))
        if sent == count { return response.end() }
        if !response.isBackedUp { wait(&response) }
    }

    private mutating func wait(_ response: inout ResponseWriter) {
        awaited = response.await { [interval] in try await Task.sleep(for: interval) }
    }
}
