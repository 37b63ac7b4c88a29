import ConnectionHandling
import HTTPTestSupport
import HTTPTypes
import ReactorHTTP
import ReactorTesting
import ReactorWire
import Testing

private final class Events {
    var all: [String] = []
}

/// What comes behind the upgrade: it says what it hears, and gives back what it gets.
private struct Echo: ConnectionHandler {
    let events: Events

    mutating func connected(on connection: inout Connection) {
        events.all.append("connected")
        connection.setDeadline(after: .seconds(5))
    }

    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        connection.write(bytes)
        return bytes.byteCount
    }

    mutating func deadlineExpired(on connection: inout Connection) { events.all.append("deadline") }
    mutating func endOfInput(on connection: inout Connection) {
        events.all.append("end")
        connection.close()
    }
    mutating func stopping(on connection: inout Connection) { events.all.append("stopping") }
    mutating func drained(on connection: inout Connection) { events.all.append("drained") }
    mutating func closed(_ reason: CloseReason) { events.all.append("closed \(reason)") }
}

private struct Upgrading: HTTPApplication {
    let events: Events

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        if response.upgrade(to: "echo", [.init("X")!: "y", .contentLength: "5"], handler: Echo(events: events)) { return }
        response.send(.ok, contentType: "text/plain", request.body)
    }

    mutating func exchangeEnded(_ summary: borrowing ExchangeSummary) {
        events.all.append("\(summary.end) \(summary.status?.code ?? 0)")
    }
}

/// Connections that leave HTTP.
@Suite struct UpgradeTests {
    private let events = Events()
    private let switched = "HTTP/1.1 101 Switching Protocols\r\n\(date)Connection: upgrade\r\nUpgrade: echo\r\nX: y\r\n\r\n"

    private func drive(_ limits: ConnectionLimits = .default) -> TestDriver {
        TestDriver(HTTPServerHandler(application: Upgrading(events: events)), limits: limits)
    }

    private func get(_ fields: String, _ version: String = "1.1") -> String { "GET / HTTP/\(version)\r\nHost: a\r\n\(fields)\r\n" }

    private let asks = "Connection: keep-alive, Upgrade\r\nUpgrade: other, Echo\r\n"

    @Test(arguments: Feeding.allCases)
    func whatFollowsIsTheOthers(_ feeding: Feeding) {
        let driver = drive()
        driver.feed(get("") + get(asks) + "GET / HTTP/1.1\r\n\r\n\0", feeding)
        #expect(driver.takeOutput() == answer("200 OK", "Content-Type: text/plain") + switched + "GET / HTTP/1.1\r\n\r\n\0")
        #expect(driver.wantsInput)
        driver.advance(by: .seconds(5))
        driver.receive("more")
        #expect(driver.takeOutput() == "more")
        driver.stop()
        driver.receiveEndOfInput()
        #expect(driver.closed == .finished)
        #expect(events.all == ["answered 200", "answered 101", "connected", "deadline", "stopping", "end", "closed finished"])
    }

    @Test func aBodyComesBeforeIt() {
        let driver = drive()
        driver.receive("POST / HTTP/1.1\r\nHost: a\r\n\(asks)Content-Length: 2\r\n\r\nab")
        driver.receive("cd")
        #expect(driver.takeOutput() == switched + "cd")
    }

    @Test(arguments: [
        ("Upgrade: echo\r\n", "1.1"), ("Connection: upgrade\r\n", "1.1"), ("Connection: upgrade\r\nUpgrade: other, echoes\r\n", "1.1"),
        ("Connection: upgraded\r\nUpgrade: echo\r\n", "1.1"), ("Connection: keep-alive, upgrade\r\nUpgrade: echo\r\n", "1.0"),
        ("Connection: x\r\nX: upgrade\r\nX-Upgrade: echo\r\n", "1.1"),
    ])
    func whatWasNotAskedIsNotDone(_ fields: String, _ version: String) {
        let driver = drive()
        driver.receive(get(fields, version))
        #expect((driver.takeOutput() as String).hasPrefix("HTTP/1.1 200 OK\r\n"))
        driver.receiveEndOfInput()
        #expect(events.all == ["answered 200"])
    }

    @Test func roomForMoreIsToldToTheOther() {
        var limits = ConnectionLimits()
        (limits.lowWatermark, limits.highWatermark) = (10, 150)
        let driver = drive(limits)
        driver.setWindow(0)
        driver.receive(get(asks) + String(repeating: "x", count: 200))
        #expect(driver.takeOutput() == "")
        driver.setWindow(nil)
        #expect(driver.takeOutput() == switched + String(repeating: "x", count: 200))
        #expect(events.all == ["answered 101", "connected", "drained"])
    }

    @Test func thePeerMayVanish() {
        let driver = drive()
        driver.receive(get(asks))
        driver.reset()
        #expect(events.all == ["answered 101", "connected", "closed failed(errno: 104)"])
    }
}
