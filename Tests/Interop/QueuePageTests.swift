import ConnectionHandling
import Foundation
import TestSupport
import Testing

/// The queue's page of a relay that runs, as Chromium sees it, and what is told beside it: metrics, and a log in JSON.
@Suite(.timeLimit(.minutes(40))) struct QueuePageTests {
    /// A relay with a next hop that is not there, and messages that wait for it.
    private func relay(_ spool: TemporaryDirectory, _ more: [String] = []) throws -> ServerProcess {
        let down = try ServerProcess("reactor", ["serve", "echo", "--listen", "127.0.0.1:0"])
        let address = down.addresses[0]
        #expect(down.stop() == 0)
        return try ServerProcess(
            "reactor",
            [
                "serve", "smtp", "--listen", "127.0.0.1:0", "--spool", spool.path + "/spool", "--next-hop", "\(address)", "--hostname",
                "relay.test",
            ] + more)
    }

    @Test func chromiumSeesTheQueue() throws {
        let spool = try TemporaryDirectory()
        // Before there is a spool, the page says so; then it finds it.
        let site = try ServerProcess("reactor", ["serve", "http", "--listen", "127.0.0.1:0", "--queue", spool.path + "/spool"])
        let early = try run("curl", ["-sS", "-w", "%{http_code}", "http://\(site.addresses[0])/queue"]).output
        #expect(early.hasSuffix("503") && early.contains("role=\"alert\">"), "\(early)")
        let server = try relay(spool)
        #expect(try send(server.addresses[0], subject: "first", from: "first@example.org", to: "b@b.example"))
        let found = try eventually {
            try run("curl", ["-sS", "-o", "/dev/null", "-w", "%{http_code}", "http://\(site.addresses[0])/queue"]).output == "200"
        }
        #expect(found, "the page never found the spool")
        let port = try #require(server.addresses[0].port)
        let result = try run("python3", ["-c", Self.program, "http://\(site.addresses[0])", String(port)], seconds: 300)
        #expect(result.output == "seen\n", "\(result.errors.suffix(2_000))")
        #expect(site.stop() == 0)
        #expect(server.stop() == 0)
    }

    private static let program = HomeBrowser.driver + HomeBrowser.checks + #"""
import smtplib

base, port = sys.argv[1], int(sys.argv[2])
with Browser() as browser:
    page = browser.page()
    page.go(base + "/")
    page.until("!!document.querySelector('a[href=\"/queue\"]')", "the link on the home page")
    page.value("document.querySelector('a[href=\"/queue\"]').click()")
    page.until("document.querySelector('#live')?.dataset.state === 'live'", "a live page")
    expect("first@example.org" in page.value("document.querySelector('[data-part=oldest]').textContent"), "the first message")
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.sendmail('"<b>&"@example.org', ["c@c.example"], b"Subject: second\r\n\r\nx\r\n")
    page.until("document.querySelector('[data-part=newest] li')?.textContent.includes('\"<b>&\"@example.org')", "the second message, by itself")
    expect(page.value("[...document.querySelectorAll('.facts dd')][0].textContent") == "2", "two messages counted")
    page.until("document.querySelectorAll('[data-part=destinations] tbody tr').length === 1", "one destination")
    fits(page)
    page.value("document.querySelector('#pause').click()")
    expect(page.value("document.querySelector('#live').textContent") == "paused", "a pause")
    page.value("document.querySelector('#pause').click()")
    page.until("document.querySelector('#live').dataset.state === 'live'", "live again")
    expect(not (found := page.complaints()), f"no complaints: {found}")
    page.go("about:blank")
    plain = browser.page()
    plain.call("Emulation.setScriptExecutionDisabled", value=True)
    plain.go(base + "/queue")
    plain.until("document.readyState === 'complete' && !!document.querySelector('noscript a[href=\"/queue\"]')", "the page without scripts")
    expect(plain.value("document.querySelectorAll('.messages li').length") == 4, "two messages at each end")
print("seen")

"""#

    private func metrics(_ server: ServerProcess) throws -> [String: Int] {
        let line = try #require(server.output.split(separator: "\n").first { $0.hasPrefix("listening on metrics+http://") })
        let text = try run("curl", ["-sS", "--fail", line.dropFirst("listening on metrics+".count) + "/metrics"]).output
        let samples = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ") }
        // Each family has its help and type, and each sample a number.
        #expect(samples.allSatisfy { $0.count == 2 && Int($0[1]) != nil && text.contains("# TYPE \($0[0].prefix { $0 != "{" }) ") })
        return Dictionary(uniqueKeysWithValues: samples.map { (String($0[0]), Int($0[1]) ?? -1) })
    }

    @Test func metricsCountWhatHappens() throws {
        let spool = try TemporaryDirectory()
        let server = try relay(spool, ["--metrics", "127.0.0.1:0", "--max-recipients", "1"])
        #expect(try send(server.addresses[0], subject: "x", from: "a@example.org", to: "b@b.example"))
        _ = try run(
            "swaks", ["--server", "\(server.addresses[0])", "--from", "a@example.org", "--to", "b@b.example,c@c.example,no address"])
        let expected = [
            "reactor_queue_readable": 1, "reactor_queue_messages{state=\"waiting\"}": 2, "reactor_queue_recipients": 2,
            "reactor_queue_destinations": 1, "reactor_smtp_sessions_total": 2, "reactor_smtp_messages_total": 2,
            "reactor_smtp_recipients_total": 2, "reactor_smtp_refusals_total{class=\"4xx\"}": 1,
            "reactor_smtp_refusals_total{class=\"5xx\"}": 1, "reactor_spool_stored_total": 2, "reactor_delivery_destinations": 1,
        ]
        // The session's end and the delivery agent's look are other threads' doing.
        var found = try metrics(server)
        for _ in 0..<250 where !expected.allSatisfy({ found[$0.key] == $0.value }) || found["reactor_smtp_sessions"] != 0 {
            usleep(20_000)
            found = try metrics(server)
        }
        for (name, value) in expected { #expect(found[name] == value, "\(name): \(found[name] ?? -1)") }
        #expect(server.stop() == 0)
    }

    /// Each process would tell of itself alone: only the queue is told of, which all share.
    @Test(arguments: ["fork", "prefork"]) func forkedProcessesTellOfTheQueueAlone(_ architecture: String) throws {
        let spool = try TemporaryDirectory()
        let server = try relay(spool, ["--metrics", "127.0.0.1:0", "--architecture", architecture])
        #expect(try send(server.addresses[0], subject: "x", from: "a@example.org", to: "b@b.example"))
        let found = try metrics(server)
        #expect(found["reactor_queue_messages{state=\"waiting\"}"] == 1)
        #expect(found.keys.allSatisfy { $0.hasPrefix("reactor_queue_") })
        #expect(server.stop() == 0)
    }

    /// One id for a message through its life: accepted, deferred, told of by a notice.
    @Test func theLogIsJSONWithOneIDForAMessage() throws {
        let spool = try TemporaryDirectory()
        let server = try relay(
            spool, ["--log-format", "json", "--route", "no.example=error:5.1.2 no such \"domain\"", "--route", "yes.example=discard"])
        #expect(try send(server.addresses[0], subject: "x", from: "a@yes.example", to: "b@no.example"))
        for _ in 0..<500 where !server.output.contains("\"event\":\"sent\"") { usleep(20_000) }
        #expect(server.stop() == 0)
        var lines: [[String: String]] = []
        for line in server.output.split(separator: "\n") where !line.hasPrefix("listening on ") {
            lines.append(try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String], "\(line)"))
        }
        #expect(lines.allSatisfy { $0["level"] != nil && $0["logger"] != nil && $0["time"]?.wholeMatch(of: #/[-0-9]+T[:0-9]+\.\d{3}Z/#) != nil })
        let accepted = try #require(lines.first { $0["event"] == "accepted" })
        let bounced = try #require(lines.first { $0["event"] == "bounced" })
        let notice = try #require(lines.first { $0["event"] == "notice" })
        #expect(accepted["id"] != nil && bounced["id"] == accepted["id"] && notice["id"] == accepted["id"])
        #expect(bounced["to"] == "b@no.example" && bounced["dsn"] == "5.1.2")
        let sent = try #require(lines.first { $0["event"] == "sent" })
        #expect(sent["id"] == notice["notice"])
    }
}
