import ConnectionHandling
import Foundation
import ReactorTesting
import ReactorWeb
import Synchronization
import Testing

@testable import ReactorSampleSite

@Suite struct QueuePageTests {
    private struct Broken: Error, CustomStringConvertible { var description: String { "no <spool> here" } }

    private static let now: Int64 = 1_000_000

    /// One message for two recipients, with what a peer may have sent.
    private static var queue: QueueSnapshot {
        var message = QueueSnapshot.Message()
        (message.id, message.state, message.sender, message.size) = ("ID1", "waiting", "<script>alert(1)</script>@a.test", 2048)
        (message.received, message.attempts, message.nextAttempt) = (now - 7_200, 3, now + 90)
        message.recipients = [.init(address: "b@b.test", state: "waiting", lastReply: "mx.b.test: 451 \"later\" <b>")]
        message.moreRecipients = 7
        var queue = QueueSnapshot()
        queue.place = "/var/spool/&"
        queue.states = [.init("waiting", 12_345), .init("held", 0)]
        (queue.recipients, queue.bytes, queue.oldestReceived) = (8, 1_572_864, now - 90_061)
        queue.ages = [5, 10]
        queue.destinations = [.init(name: "b.test", recipients: 8, byAge: [0, 1, 7])]
        queue.destinationCount = 3
        queue.oldest = [message]
        return queue
    }

    private func site(_ read: @escaping @Sendable () throws -> QueueSnapshot, streams: Bool = true) throws -> Visitor {
        var description = SiteDescription()
        description.queue = read
        description.streamsSamples = streams
        return try Visitor(description)
    }

    @Test func everyPlaceHasItsValue() {
        let page = QueuePage(styleVersion: "1", scriptVersion: "2", streams: true)
        let update = QueueUpdate(time: Self.now, parts: QueuePage.parts(Self.queue, now: Self.now))
        #expect(Template(QueueMarkup.page).names == Set(page.values(update, authority: "").keys))
        #expect(Set(update.parts.keys) == Set(QueuePage.parts))
        #expect(!page.markup(update, authority: "").contains("{{"))
    }

    @Test func showsCountsDestinationsAndMessages() throws {
        let parts = QueuePage.parts(Self.queue, now: Self.now)
        let facts = try #require(parts["facts"])
        for fact in [
            "<dt>Messages</dt><dd>12.3 k</dd>", "<dt>Waiting</dt><dd>12.3 k</dd>", "<dt>Held</dt><dd>0</dd>",
            "<dt>Recipients who wait</dt><dd>8</dd>", "<dt>Contents</dt><dd>1.5 MiB</dd>", "<dd>1 d 1 h ago</dd>",
            "<dd>/var/spool/&amp;</dd>",
        ] { #expect(facts.contains(fact), "\(fact)") }
        #expect(parts["scope"]?.hasPrefix("The 1 fullest of 3 destinations") == true)
        let table = try #require(parts["destinations"])
        #expect(table.contains("<th scope=\"col\">0–5</th><th scope=\"col\">5–10</th><th scope=\"col\">10+</th>"))
        #expect(table.contains("<td>8</td><td class=\"quiet\">0</td><td>1</td><td>7</td>"))
        let oldest = try #require(parts["oldest"])
        for text in [
            "<code>ID1</code>", "2 h 0 min</time> ago", "2.0 KiB", "3 attempts", "next in 1 min", "and to 7 more",
            "<q>mx.b.test: 451 &quot;later&quot; &lt;b&gt;</q>",
        ] { #expect(oldest.contains(text), "\(text)") }
        #expect(parts["newest"]?.contains("There is none") == true)
    }

    /// What peers sent stands on the page as text, wherever it stands.
    @Test func whatPeersSentIsEscaped() throws {
        let answer = try site { Self.queue }.ask("GET /queue")
        #expect(answer.code == 200 && answer.body.contains("&lt;script&gt;alert(1)&lt;/script&gt;@a.test"))
        #expect(!answer.body.contains("<script>alert") && !answer.body.contains("<b>\n"))
    }

    @Test func thePolicyIsStrict() throws {
        let visitor = try site { Self.queue }
        let page = visitor.ask("GET /queue")
        let policy = try #require(page.field("Content-Security-Policy"))
        #expect(policy.hasPrefix("default-src 'none'; ") && !policy.contains("unsafe"))
        #expect(page.field("Cache-Control") == "no-store" && page.field("Cross-Origin-Resource-Policy") == "same-origin")
        for forbidden in ["<style", " style=", "onclick", "javascript:"] { #expect(!page.body.contains(forbidden)) }
        let start = try #require(page.body.firstRange(of: "/queue.js?")).lowerBound
        let script = visitor.ask("GET \(page.body[start...].prefix { $0 != "\"" })")
        #expect(script.code == 200 && script.field("Cache-Control") == "public, max-age=31536000, immutable")
    }

    /// Addresses beside what somebody else chose: the length of a compressed answer would tell of them.
    @Test(arguments: ["/queue", "/queue/parts"]) func isNotCompressed(_ path: String) throws {
        let answer = try site { Self.queue }.ask("GET \(path)", fields: ["Accept-Encoding: gzip"])
        #expect(answer.code == 200 && answer.field("Content-Encoding") == nil)
    }

    @Test func withoutAQueueThereIsNoPage() throws {
        let visitor = try Visitor()
        #expect(visitor.ask("GET /queue").code == 404 && visitor.ask("GET /queue/live").code == 404)
        #expect(!visitor.ask("GET /").body.contains("href=\"/queue\""))
        #expect(try site { Self.queue }.ask("GET /").body.contains("href=\"/queue\""))
    }

    @Test func aQueueThatCannotBeReadSaysWhy() throws {
        let visitor = try site { throw Broken() }
        let page = visitor.ask("GET /queue")
        #expect(page.code == 503 && page.body.contains("role=\"alert\">no &lt;spool&gt; here</p>"))
        let parts = visitor.ask("GET /queue/parts")
        #expect(parts.code == 503 && parts.body.contains("\"problem\":\"no <spool> here\""))
    }

    /// Where few workers hold the connections, the page asks.
    @Test(arguments: [true, false]) func staysLiveByAStreamOrByAsking(_ streams: Bool) throws {
        let visitor = try site({ Self.queue }, streams: streams)
        #expect(visitor.ask("GET /queue").body.contains("data-live=\"\(streams ? "stream" : "ask")\""))
        if !streams { #expect(visitor.ask("GET /queue/live").code == 404) }
    }

    /// However many look, it is read once in two seconds; and less often where reading takes long.
    @Test func isReadOnceForAll() {
        let reads = Mutex(0)
        let watch = QueueWatch {
            reads.withLock { $0 += 1 }
            return Self.queue
        }
        let start = SiteStatistics.now()
        let first = watch.update(unixSeconds: 1, now: start)
        #expect(watch.update(unixSeconds: 2, now: start.advanced(by: .milliseconds(1_999))) == first && reads.withLock { $0 } == 1)
        #expect(watch.update(unixSeconds: 30, now: start.advanced(by: .seconds(60))).time == 30 && reads.withLock { $0 } == 2)
    }

    @Test func whoWatchesIsToldEachReadingOnce() throws {
        let watch = QueueWatch { Self.queue }
        let start = SiteStatistics.now()
        let event = try #require(watch.news(unixSeconds: Self.now, now: start))
        #expect(event.event == "queue" && event.data.hasPrefix("{\"parts\":{\"destinations\":") && event.data.hasSuffix("\"time\":1000000}"))
        #expect(watch.news(unixSeconds: Self.now + 1, now: start.advanced(by: .seconds(1))) == nil)
        #expect(watch.news(unixSeconds: Self.now + 60, now: start.advanced(by: .seconds(60))) != nil)
    }
}
