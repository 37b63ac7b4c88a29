import ConnectionHandling
import Foundation
import ReactorDNS
import ReactorNames
import ReactorSMTP
import Synchronization
import TestSupport
import Testing

/// A relay that finds mail exchangers by a name server that fails in each way: what may pass is waited for, and what will
/// not is returned to its sender.
@Suite(.timeLimit(.minutes(40))) struct MailNameFaultTests {
    /// They fail until they are healed.
    private static let passing = ["failing", "refusing", "silent", "hangup", "garbage", "truncated", "format", "halfway", "aliasloop"]
    /// They are as they are, with the status that their senders are told.
    private static let lasting = ["gone": "5.1.2", "null": "5.1.10", "bare": "5.4.4"]

    private static func answer(_ query: DNSMessage, isTCP: Bool, isHealed: Bool) -> NameServerReply {
        guard let question = query.questions.first else { return .nothing }
        let labels = "\(question.name)".lowercased().split(separator: ".")
        let here = RecordData.address(.v4(0x7F00_0001))
        func mx(_ preference: UInt16, _ name: String) -> NameServerReply {
            .message(query.answered(.mx(preference: preference, exchange: (try? DomainName(parsing: name)) ?? .root)))
        }
        func none() -> NameServerReply { .message(query.denied(.noError, negative: 1)) }
        switch (labels.first ?? "", question.type) {
        case ("gone", _): return .message(query.denied(.nameError, negative: 1))
        case ("null", .mx): return mx(0, ".")
        case ("bare", .mx): return mx(10, "nowhere.test")
        case ("nowhere", _): return none()
        case ("halfway", .mx): return mx(10, "failing.test")
        case (let label, .mx) where isHealed || label == "sender": return mx(10, "host.test")
        case ("host", .a),
            (_, .a) where isHealed: return .message(query.answered(here))
        case ("failing", _): return .message(query.denied(.serverFailure))
        case ("refusing", _): return .message(query.denied(.refused))
        case ("format", _): return .message(query.denied(.formatError))
        case ("silent", _): return .nothing
        case ("hangup", _): return .hangUp
        case ("garbage", _): return .bytes([Array(query.bytes.prefix(2)) + [0x81, 0x80, 0, 1, 0, 9, 0, 0, 0, 0, 0xC0, 0x0C]])
        case ("truncated", _):
            var message = DNSMessage(answering: query)
            message.isTruncated = true
            return isTCP ? .hangUp : .message(message)
        case ("aliasloop", _): return .message(query.answered(.cname((try? DomainName(parsing: "aliasloop.test")) ?? .root)))
        default: return none()
        }
    }

    @Test func namesThatFailInEachWay() throws {
        let spool = try TemporaryDirectory()
        let sink = try MailSink()
        let healing = HealingFlag()
        let names = try ThreadedNameServer { Self.answer($0, isTCP: $1, isHealed: healing.isHealed) }
        let server = try startRelay(
            spool.path, to: nil,
            ["--resolver", names.address.description, "--delivery-port", "\(sink.address.port ?? 0)", "--first-retry", "1"])
        for domain in Self.passing + Self.lasting.keys {
            #expect(try send(server.addresses[0], subject: domain, from: "a@sender.test", to: "b@\(domain).test"))
        }
        // Each has been tried, and is waited for.
        func waiting() throws -> [NSDictionary] { try queued(spool.path).filter { $0["last_error"] is String } }
        #expect(try eventually { try waiting().count == Self.passing.count })
        for _ in 0..<400 where sink.deliveries.count < Self.lasting.count { usleep(50_000) }
        let bounces = sink.deliveries
        #expect(bounces.count == Self.lasting.count && bounces.allSatisfy { $0.envelope.sender == "" })
        for (domain, status) in Self.lasting {
            let bounce = bounces.first { $0.content.contains("Final-Recipient: rfc822; b@\(domain).test\r\n") }
            #expect(bounce?.content.contains("\r\nStatus: \(status)\r\n") == true, "\(domain): \(bounce?.content ?? "no bounce")")
        }
        healing.heal()
        // Delays have grown meanwhile.
        #expect(try reactor("queue", "retry", "--spool", spool.path, "--all").status == 0)
        for _ in 0..<600 where sink.deliveries.count < bounces.count + Self.passing.count { usleep(50_000) }
        #expect(sink.delivered.dropFirst(bounces.count).sorted() == Self.passing.sorted())
        #expect(try waitUntilEmpty(spool.path))
        #expect(server.stop() == 0)
    }
}

private final class HealingFlag: Sendable {
    private let value = Mutex(false)
    var isHealed: Bool { value.withLock { $0 } }
    func heal() { value.withLock { $0 = true } }
}
