import ReactorTesting
import Testing

@testable import ReactorSampleSite

@Suite struct HomePageTests {
    @Test func everyPlaceHasItsValue() {
        let page = HomePage(description: SiteDescription(), styleVersion: "1", scriptVersion: "2")
        let values = page.values([], Totals(), now: 0, authority: "", origin: "", peer: "")
        #expect(Template(HomeMarkup.page).names == Set(values.keys))
        #expect(!page.markup([], Totals(), now: 0, authority: "", origin: "", peer: "").contains("{{"))
    }

    @Test func templates() {
        let template = Template("a{{x}}b{{{y}}}c{{x}}{{none}}")
        #expect(template.filled(["x": "<&\"'>", "y": "<b>"]) == "a&lt;&amp;&quot;&#39;&gt;b<b>c&lt;&amp;&quot;&#39;&gt;")
        #expect(Template("no places, {{ half").filled([:]) == "no places, {{ half")
        #expect(Template("").filled([:]) == "")
    }

    /// What a peer sends stands on the page as text.
    @Test func theHostIsEscaped() throws {
        let visitor = try Visitor()
        visitor.driver.receive("GET / HTTP/1.1\r\nHost: a&'b\r\n\r\n")
        let page = Answer(visitor.driver.takeOutput())
        #expect(page.code == 200 && page.body.contains("a&amp;&#39;b") && !page.body.contains("a&'b"))
    }

    @Test func thePolicyIsStrict() throws {
        let page = try Visitor().ask("GET /")
        #expect(page.field("Content-Type") == "text/html; charset=utf-8")
        let policy = try #require(page.field("Content-Security-Policy"))
        #expect(policy.hasPrefix("default-src 'none'; ") && !policy.contains("unsafe"))
        // Nothing inline that it would forbid.
        for forbidden in ["<style", " style=", "onclick", "javascript:"] { #expect(!page.body.contains(forbidden)) }
        #expect(page.body.firstRange(of: #"<script src="/site.js?"#) != nil)
    }

    @Test(arguments: ["/site.css", "/site.js", "/site.svg"]) func filesAreKeptByBrowsers(_ path: String) throws {
        let visitor = try Visitor()
        let plain = visitor.ask("GET \(path)")
        let tag = try #require(plain.field("ETag"))
        #expect(plain.code == 200 && plain.field("Cache-Control") == "no-cache" && !plain.body.isEmpty)
        let known = visitor.ask("GET \(path)", fields: ["If-None-Match: \"other\", W/\(tag)"])
        #expect(known.code == 304 && known.body.isEmpty && known.field("ETag") == tag)
        #expect(visitor.ask("GET \(path)", fields: ["If-None-Match: \"other\""]).code == 200)
        #expect(visitor.ask("GET \(path)", fields: ["If-Match: \"other\""]).code == 412)
        #expect(visitor.ask("GET \(path)?other").field("Cache-Control") == "no-cache")
        #expect(visitor.ask("HEAD \(path)").body.isEmpty)
    }

    @Test func thePageAsksForTheVersionsThatAreKept() throws {
        let visitor = try Visitor()
        let page = visitor.ask("GET /").body
        for path in ["/site.css?", "/site.js?"] {
            let start = try #require(page.firstRange(of: path)).lowerBound
            let address = page[start...].prefix { $0 != "\"" }
            #expect(visitor.ask("GET \(address)").field("Cache-Control") == "public, max-age=31536000, immutable")
        }
    }

    // MARK: Numbers and charts

    @Test func numbersForPeople() {
        #expect([0, 1, 999.4, 9_999, 10_000, 123_456, 1_234_567].map(Quantity.count) == ["0", "1", "999", "9999", "10.0 k", "123.5 k", "1.23 M"])
        let times: [Double?] = [nil, 0.0004, 0.25, 1, 9.999, 12.34, 250, 1500]
        #expect(times.map { Quantity.timeText(milliseconds: $0) } == ["–", "0 µs", "250 µs", "1.00 ms", "10.00 ms", "12.3 ms", "250 ms", "1.50 s"])
        #expect([0, 1, 1023, 1024, 1_572_864, 5e9].map(Quantity.bytes) == ["0 bytes", "1 byte", "1023 bytes", "1.0 KiB", "1.5 MiB", "4.7 GiB"])
        #expect([0, 59, 60, 3_599, 3_600, 90_061, 172_800].map(Quantity.duration) == ["0 s", "59 s", "1 min", "59 min", "1 h 0 min", "1 d 1 h", "2 d 0 h"])
        #expect(Quantity.iso(784_111_777) == "1994-11-06T08:49:37Z")
        #expect(Quantity.fixed(.infinity, 1) == "–" && Quantity.fixed(.nan, 0) == "–")
    }

    @Test(arguments: [(0, 1), (0.3, 0.5), (1, 1), (1.1, 2), (3, 5), (7, 10), (123, 200), (1_000, 1_000)] as [(Double, Double)])
    func scales(_ value: Double, _ top: Double) { #expect(abs(Chart.roundTop(value) - top) < 1e-9) }

    @Test func chartsHaveLinesWithGaps() {
        let samples = [10, 20, nil, 5].enumerated().map { second, median in
            var sample = Sample()
            (sample.uptime, sample.median, sample.requests) = (second, median, Double(second))
            return sample
        }
        let charts = Chart.all(samples, lag: .absent("threads have no loop"))
        #expect(charts.map(\.name) == ["requests", "latency", "connections", "lag"])
        let latency = charts[1].markup
        // Two strokes, the last of one point.
        #expect(latency.contains("d=\"M233.9 32.5L236.0 1.5M240.0 48.0h.01\""))
        #expect(latency.contains("aria-label=\"Latency: median 5.00 ms"))
        #expect(charts[3].markup.contains("not measured: threads have no loop"))
        #expect(Chart.all([], lag: .measured).allSatisfy { $0.markup.contains("<svg") })
    }

    @Test func theTableHasTheNewestSeconds() {
        let samples = (0..<30).map { second in
            var sample = Sample()
            sample.time = Int64(second)
            return sample
        }
        let page = HomePage(description: SiteDescription(), styleVersion: "", scriptVersion: "")
        let rows = page.values(samples, Totals(), now: 0, authority: "", origin: "", peer: "")["rows"] ?? ""
        #expect(rows.hasPrefix("<tr><td>00:00:29</td>") && rows.contains("00:00:20") && !rows.contains("00:00:19"))
    }
}
