import ConnectionHandling
import Logging
import MailTestSupport
import Reactor
import ReactorDNS
@testable import ReactorMailRelay
import ReactorNames
import ReactorSMTP
import ReactorTesting
import TestSupport
import Testing

extension Routes {
    /// Everything by MX records, and `hop.test` by a next hop.
    static var byMX: Routes { Routes(.mx, localDomain: "relay.test") }
    static func to(_ address: SocketAddress) -> Routes { Routes(.nextHop(NextHop(address)), localDomain: "relay.test") }
}

extension DeliveryLimits {
    /// What takes time takes little.
    static var quick: DeliveryLimits {
        var limits = DeliveryLimits()
        limits.firstReconnect = .milliseconds(10)
        limits.lastReconnect = .milliseconds(20)
        limits.refusalPause = .milliseconds(1)
        limits.rewrite = .milliseconds(20)
        limits.poll = .seconds(3600)  // What wakes the agent must be something else.
        limits.client.quit = .milliseconds(200)
        return limits
    }
}

/// An agent with its queue and its servers on one loop.
final class Relay {
    let loop: EventLoop
    let queue: MemoryQueue
    private(set) var agent: DeliveryAgent?

    init(_ loop: EventLoop, _ queue: MemoryQueue) {
        self.loop = loop
        self.queue = queue
    }

    convenience init(_ routes: Routes = .byMX) throws { self.init(try EventLoop(), MemoryQueue(routes)) }

    @discardableResult
    func start(_ limits: DeliveryLimits = .quick, dns: NameServer? = nil, edit: (inout DeliveryOptions) -> Void = { _ in }) throws -> DeliveryAgent {
        var options = DeliveryOptions(hostname: "relay.test", routes: queue.routes)
        options.limits = limits
        options.resolver = ResolverOptions(servers: dns.map { [$0.address] } ?? [.loopback(port: 9)])
        options.resolver.configurationFile = "/dev/null"
        options.resolver.hostsFile = nil
        options.resolver.searchDomains = []
        edit(&options)
        let agent = try DeliveryAgent(queue: queue, options: options, loop: loop, logger: quietLogger)
        self.agent = agent
        agent.start()
        return agent
    }

    var statistics: DeliveryStatistics { agent?.counters.snapshot ?? DeliveryStatistics() }

    func run(_ comment: Comment = "nothing happened for ten seconds", until condition: @escaping () -> Bool) {
        loop.run(until: condition)
        #expect(condition(), comment)
    }

    /// Some turns of the loop.
    func run(for duration: Duration) {
        loop.after(duration) { [loop] in loop.stop() }
        loop.run()
    }

    func finish() {
        agent?.stop()
        loop.shutDown(within: .milliseconds(100))
        loop.run()
        agent?.finishWriting(on: loop, within: .seconds(1))
        agent?.close()
        agent = nil
        loop.close()
    }
}

func message(
    _ recipients: [Envelope.Recipient] = [Envelope.Recipient("b@b.test")], attempts: Int = 0, sender: String = "a@a.test",
    content: String = "Subject: x\r\n\r\nbody\r\n", received: Int64 = 1_700_000_000, isWarned: Bool = false,
    edit: (inout Envelope) -> Void = { _ in }
) -> OutgoingMessage {
    var envelope = Envelope(id: QueueID(text: "ID"), sender: sender, recipients: [], received: received)
    edit(&envelope)
    return OutgoingMessage(
        number: 1, envelope: envelope,
        recipients: recipients.enumerated().map { OutgoingMessage.Recipient(position: Int64($0.offset), $0.element, attempts: attempts) },
        content: .bytes(Array(content.utf8)), isWarned: isWarned)
}

func report(_ kind: UInt16, _ subject: UInt16, _ detail: UInt16, _ text: String = "text", remote: String? = "mx.test") -> DeliveryReport {
    DeliveryReport(status: EnhancedStatusCode(kind, subject, detail), text: text, remote: remote)
}

extension MessageContent {
    var text: String {
        var bytes: [UInt8] = []
        try? read(from: 0, upTo: size, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Says and does what it is told for each command; delivers to `took` what it takes.
struct ScriptedServer: ConnectionHandler {
    enum Act {
        case say(String)
        case hangUp
        case stall
        case sayAndClose(String)
    }

    /// Nil: as any server does.
    var script: (String) -> Act? = { _ in nil }
    var took: (String) -> Void = { _ in }
    /// Makes the server's end of TLS; nil: STARTTLS is not offered.
    var makeLayer: (() -> ConnectionLayer)?
    /// TLS begins with the first byte.
    var isImplicit = false
    private var isProtected = false
    private var isLMTP = false
    private var hasSender = false
    private var isStalled = false
    /// Recipients that were not refused.
    private var accepted = 0
    private var isContent = false
    private var content = ""

    init(script: @escaping (String) -> Act? = { _ in nil }, took: @escaping (String) -> Void = { _ in }) {
        self.script = script
        self.took = took
    }

    mutating func secured(on connection: inout Connection) {
        isProtected = true
        if isImplicit { act("CONNECT", "220 mx.test\r\n", &connection) }
    }

    mutating func connected(on connection: inout Connection) {
        if isImplicit, let makeLayer { return connection.start(makeLayer()) }
        act("CONNECT", "220 mx.test\r\n", &connection)
    }

    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        var used = 0
        if isStalled { return bytes.byteCount }
        while let lineFeed = bytes.extracting(used..<bytes.byteCount).firstLineFeed, !connection.isClosing, !isStalled {
            let line = bytes.extracting(used..<used + lineFeed + 1).text
            used += lineFeed + 1
            take(line, &connection)
        }
        return used
    }

    private mutating func take(_ line: String, _ connection: inout Connection) {
        if isContent {
            content += line
            if line != ".\r\n" { return }
            isContent = false
            let text = content
            content = ""
            // Before anything is said, as a server does that is about to die.
            switch script("CONTENT") {
            case nil:
                took(text)
                for _ in 0..<(isLMTP ? accepted : 1) { connection.write("250 2.0.0 taken\r\n") }
            case .some(let act): perform(act, &connection)
            }
            return
        }
        if line == "DATA\r\n" {
            guard let act = script("DATA") else {
                // Pipelined behind recipients that were all refused.
                if accepted == 0 { return connection.write("554 5.5.1 no valid recipients\r\n") }
                isContent = true
                return connection.write("354 go\r\n")
            }
            return perform(act, &connection)
        }
        let word = String(line.prefix { $0.isLetter })
        if word == "MAIL" { accepted = 0 }
        if word == "LHLO" { isLMTP = true }
        act(word, usual(word), &connection, line)
        if word == "STARTTLS", let makeLayer { connection.start(makeLayer()) }
    }

    private func usual(_ word: String) -> String {
        switch word {
        case "EHLO", "LHLO":
            "250-mx.test\r\n250-PIPELINING\r\n\(makeLayer != nil && !isProtected ? "250-STARTTLS\r\n" : "")250 8BITMIME\r\n"
        case "QUIT": "221 bye\r\n"
        case "STARTTLS": "220 go\r\n"
        default: "250 2.1.0 ok\r\n"
        }
    }

    private mutating func act(_ word: String, _ usual: String, _ connection: inout Connection, _ line: String = "") {
        if word == "RCPT", !hasSender { return connection.write("503 5.5.1 MAIL first\r\n") }
        let act = script(word == "RCPT" ? String(line.dropLast(2)) : word)
        if word == "MAIL" { hasSender = act == nil }
        if word == "RCPT", act == nil { accepted += 1 }
        perform(act ?? .say(usual), &connection)
    }

    private mutating func perform(_ act: Act, _ connection: inout Connection) {
        switch act {
        case .say(let text): connection.write(text)
        case .hangUp: connection.close(.aborting)
        case .stall: isStalled = true
        case .sayAndClose(let text):
            connection.write(text)
            connection.close()
        }
    }
}

extension RawSpan {
    fileprivate var firstLineFeed: Int? {
        for index in 0..<byteCount where unsafeLoad(fromByteOffset: index, as: UInt8.self) == 10 { return index }
        return nil
    }
    var text: String { withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
}
