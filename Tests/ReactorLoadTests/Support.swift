import ConnectionHandling
import Foundation
import Reactor
@testable import ReactorLoad
import TestSupport
import Testing

/// A short load: the machine that runs tests is busy with others, so what is expected is counts, not times.
func shortPlan(_ url: String, seconds: Double = 0.4, _ change: (inout LoadPlan) -> Void = { _ in }) throws -> LoadPlan {
    var plan = LoadPlan(try LoadTarget(parsing: url))
    (plan.connections, plan.duration, plan.warmUp, plan.timeout) = (4, seconds, 0, 20)
    change(&plan)
    return plan
}

func load(_ url: String, seconds: Double = 0.4, _ change: (inout LoadPlan) -> Void = { _ in }) throws -> LoadReport {
    try Load(try shortPlan(url, seconds: seconds, change)).run()
}

extension LoadReport {
    /// Each request that was due is accounted for, once.
    var dueRequests: UInt64 { UInt64(((offeredRate ?? 0) * seconds).rounded()) }
}

func serve<Handler: ConnectionHandler & ~Copyable>(
    _ makeHandler: @escaping @Sendable () -> Handler
) throws -> (thread: LoopThread<SocketAddress>, place: String) {
    let thread = try LoopThread { loop in try loop.listen(on: .loopback(port: 0), makeHandler: makeHandler).address }
    return (thread, "\(thread.made)")
}

/// Answers each request, however it comes, with the same bytes; a request ends in an empty line.
struct Answering: ConnectionHandler {
    static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    var answer = ok
    /// Closes behind so many answers.
    var most = Int.max
    private var given = 0

    init(_ answer: String = ok, most: Int = .max) { (self.answer, self.most) = (answer, most) }

    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        var used = 0
        while let end = bytes.endOfHead(from: used), !connection.isClosing {
            used = end
            connection.write(answer)
            given += 1
            if given == most { connection.close() }
        }
        return used
    }
}

extension RawSpan {
    /// Behind the next empty line.
    func endOfHead(from start: Int) -> Int? {
        withUnsafeBytes { bytes in
            var index = start
            while index + 4 <= bytes.count {
                if bytes[index] == 13, bytes[index + 1] == 10, bytes[index + 2] == 13, bytes[index + 3] == 10 { return index + 4 }
                index += 1
            }
            return nil
        }
    }
}
