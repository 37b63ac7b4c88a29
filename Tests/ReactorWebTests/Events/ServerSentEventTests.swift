import Foundation
import HTTPTestSupport
import ReactorHTTP
import ReactorTesting
import ReactorWire
import Testing

@testable import ReactorWeb

@Suite struct ServerSentEventTests {
    private func text(_ event: ServerSentEvent) -> String {
        var output = ByteQueue()
        event.append(to: &output)
        return output.bytes.text
    }

    @Test(arguments: [
        (ServerSentEvent("hello"), "data: hello\n\n"),
        (ServerSentEvent(""), "data: \n\n"),
        (ServerSentEvent("a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n"),
        (ServerSentEvent("\n\r"), "data: \ndata: \ndata: \n\n"),
        (ServerSentEvent("end\n"), "data: end\ndata: \n\n"),
        (ServerSentEvent("x", event: "tick", id: "7", retry: .milliseconds(2_500)), "event: tick\nid: 7\nretry: 2500\ndata: x\n\n"),
        // What would end the field, or the event, is left out.
        (ServerSentEvent("x", event: "a\ndata: y", id: "1\r\n\r\n\u{0}2"), "event: adata: y\nid: 12\ndata: x\n\n"),
        (ServerSentEvent("ä€"), "data: ä€\n\n"),
    ])
    func isEncoded(_ event: ServerSentEvent, _ expected: String) {
        #expect(text(event) == expected)
    }

    @Test func negativeAndHugeTimes() {
        #expect(text(ServerSentEvent("x", retry: .seconds(-5))) == "retry: 0\ndata: x\n\n")
        #expect(text(ServerSentEvent("x", retry: .seconds(Int64.max))).hasPrefix("retry: 18446744073709\n"))
    }
}

/// Streams what a hub has, on the test driver, whose thread waits for what a connection awaits. So events come from threads
/// of their own: the few that Swift's tasks have may all be waiting.
@Suite(.timeLimit(.minutes(40))) struct EventStreamTests {
    private let hub = EventHub()

    private func connect(_ fields: String = "", method: String = "GET") -> TestDriver {
        let driver = TestDriver(HTTPServerHandler(application: EventStream(hub)))
        driver.receive("\(method) /events HTTP/1.1\r\nHost: x\r\n\(fields)\r\n")
        return driver
    }

    @Test func streams() {
        let hub = hub
        Thread.detachNewThread {
            while hub.subscriberCount == 0 { usleep(1_000) }
            hub.publish(ServerSentEvent("one", id: "1"))
            hub.noteSilence()
            hub.publish(ServerSentEvent("two", id: "2"))
            hub.close()
        }
        let driver = connect()
        let answer = Answer(driver.takeOutput())
        #expect(answer.field("Content-Type") == "text/event-stream" && answer.field("Cache-Control") == "no-store")
        let events = dechunked(answer.body)
        #expect(events.hasPrefix(": \n\n"))
        #expect(events.replacing(": \n\n", with: "") == "id: 1\ndata: one\n\nid: 2\ndata: two\n\n")
        // The stream ended well, and the connection goes on.
        #expect(driver.closed == nil && driver.wantsInput)
    }

    private func dechunked(_ body: String) -> String {
        var rest = body[...]
        var text = ""
        while let end = rest.firstRange(of: "\r\n"), let count = Int(rest[..<end.lowerBound], radix: 16), count > 0 {
            text += rest[end.upperBound...].prefix(count)
            rest = rest[end.upperBound...].dropFirst(count + 1)  // CRLF is one character.
        }
        return text
    }

    @Test func whatWasMissedIsSentAgain() {
        for number in 1...4 { hub.publish(ServerSentEvent("e\(number)", id: "\(number)")) }
        let hub = hub
        Thread.detachNewThread {
            while hub.subscriberCount == 0 { usleep(1_000) }
            hub.close()
        }
        let text: String = connect("Last-Event-ID: 2\r\n").takeOutput()
        #expect(!text.contains("e1") && !text.contains("e2") && text.contains("data: e3\n") && text.contains("data: e4\n"))
    }

    @Test func aClosedHubRefuses() {
        hub.close()
        let text: String = connect().takeOutput()
        #expect(text.hasPrefix("HTTP/1.1 503"))
    }

    @Test func toHEADThereIsNoStream() {
        let text: String = connect(method: "HEAD").takeOutput()
        #expect(text.hasPrefix("HTTP/1.1 200") && text.contains("text/event-stream") && text.hasSuffix("\r\n\r\n"))
        #expect(hub.subscriberCount == 0)
    }
}

@Suite(.timeLimit(.minutes(40))) struct EventHubTests {
    private func options(_ change: (inout EventHubOptions) -> Void) -> EventHubOptions {
        var options = EventHubOptions()
        change(&options)
        return options
    }

    private func texts(_ delivery: EventDelivery) -> [String]? {
        guard case .events(let events) = delivery else { return nil }
        return events.map { String($0.bytes.text.dropFirst(6).dropLast(2)) }
    }

    @Test func everySubscriberGetsAllInOrder() async throws {
        // Room for all, and no comments into a silence: on a busy machine everybody is slow, which is another test's matter.
        let hub = EventHub(options: options { ($0.queue, $0.keepAlive) = (500, .seconds(3600)) })
        let streams = try (0..<8).map { _ in try #require(hub.subscribe(after: nil)).subscription }
        let publisher = Task.detached {
            for number in 0..<500 {
                hub.publish(ServerSentEvent("\(number)"))
                if number % 20 == 0 { try await Task.sleep(for: .milliseconds(1)) }
            }
            hub.close()
        }
        await withTaskGroup(of: [String].self) { group in
            for stream in streams {
                group.addTask {
                    var all: [String] = []
                    while let some = texts(await stream.next()) { all += some }
                    return all
                }
            }
            for await all in group { #expect(all == (0..<500).map(String.init)) }
        }
        try await publisher.value
    }

    @Test func theSlowAreDisconnected() async throws {
        let hub = EventHub(options: options { $0.queue = 3 })
        let slow = try #require(hub.subscribe(after: nil))
        for number in 0..<3 { hub.publish(ServerSentEvent("\(number)")) }
        #expect(hub.subscriberCount == 1)
        hub.publish(ServerSentEvent("3"))
        #expect(hub.subscriberCount == 0)
        #expect(texts(await slow.subscription.next()) == ["0", "1", "2"])
        #expect(texts(await slow.subscription.next()) == nil)
    }

    @Test func orSkip() async throws {
        let hub = EventHub(options: options {
            $0.queue = 3
            $0.overflow = .skipOldest
        })
        let slow = try #require(hub.subscribe(after: nil))
        for number in 0..<10 { hub.publish(ServerSentEvent("\(number)")) }
        #expect(texts(await slow.subscription.next()) == ["7", "8", "9"])
        #expect(hub.subscriberCount == 1)
    }

    @Test func theHistoryIsBounded() async throws {
        let hub = EventHub(options: options { $0.history = 3 })
        for number in 0..<20 { hub.publish(ServerSentEvent("\(number)", id: "i\(number)")) }
        let all = try #require(hub.subscribe(after: "i17")).subscription
        guard case .events(let events) = await all.next() else { return #expect(Bool(false)) }
        #expect(events.map { $0.bytes.text } == ["id: i18\ndata: 18\n\n", "id: i19\ndata: 19\n\n"])
        // Forgotten, and never there: nothing is sent again.
        for id in ["i16", "other"] {
            let stream = try #require(hub.subscribe(after: id)).subscription
            hub.noteSilence()
            stream.end()
            #expect(texts(await stream.next()) == nil)
        }
    }

    @Test func subscribersAreBounded() throws {
        let hub = EventHub(options: options { $0.subscribers = 2 })
        let first = try #require(hub.subscribe(after: nil))
        #expect(hub.subscribe(after: nil) != nil)
        #expect(hub.subscribe(after: nil) == nil)
        hub.unsubscribe(first.number)
        #expect(hub.subscribe(after: nil) != nil)
    }

    @Test func leavingWakesWhoWaits() async throws {
        let hub = EventHub()
        let (number, stream) = try #require(hub.subscribe(after: nil))
        let waiting = Task { await stream.next() }
        try await Task.sleep(for: .milliseconds(5))
        hub.unsubscribe(number)
        guard case .ended = await waiting.value else { return #expect(Bool(false)) }
    }

    @Test func silenceIsBroken() async throws {
        let hub = EventHub(options: options { $0.keepAlive = .milliseconds(5) })
        let stream = try #require(hub.subscribe(after: nil)).subscription
        for _ in 0..<3 {
            guard case .silence = await stream.next() else { return #expect(Bool(false)) }
        }
    }
}
