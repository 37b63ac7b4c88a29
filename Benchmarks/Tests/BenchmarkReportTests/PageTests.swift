import Foundation
import Testing

#if canImport(FoundationXML)
import FoundationXML
#endif

@testable import BenchmarkReport

/// The page and the summary.
@Suite struct PageTests {
    private func page(_ report: Report) throws -> String {
        HTMLReport(report, drawings: try Plotter().draw(report.figures), style: try ReportStyle.text()).text
    }

    @Test func aSuitesPageIsWholeAndNeedsNothingElse() throws {
        let report = Report(ResultLines(try Sample.suite()))
        let titles = Set(report.figures.map { $0.title.split(separator: ",")[0] })
        #expect(titles.isSuperset(of: [
            "Throughput against connections", "Latency percentiles", "Latency (p99) against offered load", "CPU", "Memory against connections",
            "Throughput against slow peers", "Memory against idle connections", "Answers in each second", "p99 in each second",
            "Time to recover", "reactor against itself",
        ]))
        let html = try page(report)
        let tags = try Tags(html)
        #expect(tags.count("figure") == report.figures.count && tags.count("svg") == report.figures.count)
        #expect(tags.count("figcaption") == report.figures.count && tags.count("script") == 0)
        let ids = tags.ids
        #expect(Set(ids).count == ids.count, "an id occurs twice")
        #expect(tags.references.isSubset(of: Set(ids)), "a reference leads nowhere")
        #expect(tags.labels.count >= report.figures.count && tags.labels.allSatisfy { !$0.isEmpty })
        for figure in report.figures {
            #expect(figure.sentence.count > 20 && figure.sentence.hasSuffix("."), "\(figure.id): \(figure.sentence)")
            #expect(tags.labels.contains("\(figure.title). \(figure.sentence.replacing("`", with: ""))"))
        }
        for forbidden in ["http:", "https:", "<script", "@import", "src=", "url(http"] {
            #expect(!html.contains(forbidden), "the page has \(forbidden)")
        }
        // As a number; "unanswered" has it, too.
        #expect(!html.contains(#/\b(nan|NaN)\b/#))
        // Every colour is the page's, so that it follows light and dark.
        let drawings = try Regex("<svg.*?</svg>").dotMatchesNewlines()
        for drawing in html.matches(of: drawings) { #expect(!html[drawing.range].contains("#0")) }
        #expect(html.utf8.count < 1_500_000)
    }

    @Test func experimentsThatAreNotThereLeaveNoHole() throws {
        let report = Sample.report(
            Sample.runs("echo", "reactor", 64, "round_trips_per_second", [100, 101]) + Sample.runs("echo", "floor", 64, "round_trips_per_second", [105, 106]))
        #expect(report.figures.map(\.id) == ["echo-round-trips-per-second"])
        let html = try page(report)
        #expect(try Tags(html).count("figure") == 1)
        #expect(!html.contains("slow-clients") && !html.contains("nil"))
    }

    @Test func figuresOfOddValuesAreDrawn() throws {
        let report = Sample.report([
            Sample.line("idle", "reactor", 0, ["pss_per_connection_bytes": -4, "requests_per_second": 0, "p99_us": 0]),
            Sample.line("idle", "thread", 15_000, ["pss_per_connection_bytes": 1e6, "requests_per_second": 1e7, "p99_us": 3e7]),
            Sample.line("idle", "fork", 15_000, nil, more: ["failure": "no"]),
            Sample.line("future", "reactor", 1, ["unheard_of": 1]), Sample.line("gone", "reactor", 1, nil, more: ["failure": "no"]),
        ])
        let html = try page(report)
        #expect(try Tags(html).count("figure") == report.figures.count)
        #expect(html.contains("unheard of"))
    }

    @Test func namesAndReasonsFromTheFileAreText() throws {
        let report = Sample.report([
            Sample.line("<b>&\"e", "</svg><script>alert(1)</script>", 1, ["requests_per_second": 1], more: ["peer": "<i>"]),
            Sample.line("<b>&\"e", "x`y|z", 1, nil, more: ["failure": "<img src=x>\u{1}\nand more"]),
        ])
        let html = try page(report)
        #expect(try Tags(html).count("script") == 0)
        #expect(!html.contains("<img") && !html.contains("<i>") && html.contains("&lt;script&gt;"))
        let markdown = MarkdownReport.text(report)
        #expect(!markdown.contains("<script") && !markdown.contains("<img") && markdown.contains("x`y\\|z"))
    }

    @Test func withoutMatplotlibThereIsOneLineThatSaysWhatToInstall() {
        let figures = Sample.report(Sample.runs("e", "reactor", 1, "p99_us", [1, 2])).figures
        let error = #expect(throws: (any Error).self) { try Plotter(interpreters: ["/nowhere/python3"]).draw(figures) }
        #expect("\(error as Any)".contains("apt-get install python3-matplotlib"))
    }

    /// The command as one types it, with a Python that has no matplotlib: it doesn't look for packages.
    @Test func withoutMatplotlibTheSummaryIsWritten() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "report-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let python = directory.appending(path: "python")
        try "#!/bin/sh\nexec python3 -I -S \"$@\"\n".write(to: python, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: python.path())
        let lines = directory.appending(path: "r.jsonl")
        try Sample.runs("echo", "reactor", 64, "p99_us", [1, 2]).joined(separator: "\n").write(to: lines, atomically: true, encoding: .utf8)
        let bench = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "bench").path()
        let said = try Sample.output([
            "sh", "-c", "\"$0\" report \"$1\" --python \"$2\" 2>&1; echo status $?", bench, lines.path(), python.path(),
        ])
        #expect(said == "bench: no page was written: figures need Python with matplotlib (apt-get install python3-matplotlib, or --python PATH)\nstatus 1\n")
        #expect(try String(contentsOf: directory.appending(path: "r.md"), encoding: .utf8).contains("## echo"))
        #expect(!FileManager.default.fileExists(atPath: directory.appending(path: "r.html").path()))
    }

    @Test func theSummaryHasTablesWithReasons() throws {
        let report = Sample.report(
            Sample.runs("echo", "reactor", 64, "p99_us", [100, 110, 120])
                + [Sample.line("echo", "fork", 64, nil, more: ["failure": "it hung"])]
                + Sample.runs("echo", "nginx", 64, "p99_us", [50], more: ["vouched": false, "doubts": ["the load was at its limit"]]))
        let text = MarkdownReport.text(report)
        #expect(text.contains(#/\| reactor \| 110 µs \(\d+ µs–\d+ µs\) \| 0 \| 3 \|/#))
        #expect(text.contains("| fork | failed: it hung |"))
        #expect(text.contains("- † `nginx`, 64 connections: 1 of 1 runs not vouched for: the load was at its limit"))
        #expect(text.contains("bench run echo --subjects reactor,fork,nginx --connections 64"))
        #expect(text.contains("1 of 5 runs failed"))
        let late = Sample.report([Sample.line("echo", "reactor", 64, ["p99_us": 100, "requests": 50, "errors_unanswered": 50])])
        #expect(MarkdownReport.text(late).contains("| reactor | &gt; 100 µs |"))
    }

    /// WCAG's contrast of text, at least 4.5 to 1, in both schemes; lines and markers have it as well.
    @Test(arguments: [0, 1]) func coloursStandOut(scheme: Int) throws {
        let blocks = try ReportStyle.text().components(separatedBy: ":root {").dropFirst().map { String($0.prefix { $0 != "}" }) }
        let block = try #require(blocks.count == 2 ? blocks[scheme] : nil)
        var colours: [String: Double] = [:]
        for match in block.matches(of: #/--([a-z0-9]+): #([0-9a-f]{6})/#) {
            let number = try #require(Int(match.2, radix: 16))
            let parts = [16, 8, 0].map { shift -> Double in
                let part = Double(number >> shift & 255) / 255
                return part <= 0.03928 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
            }
            colours[String(match.1)] = 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
        }
        for name in ["ink", "soft", "link", "warn"] + (1...8).map({ "c\($0)" }) {
            for ground in ["page", "panel"] {
                let pair = [try #require(colours[name]), try #require(colours[ground])].sorted()
                #expect((pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, "\(name) on \(ground)")
            }
        }
    }
}

/// The elements of a page, which must be well-formed.
private final class Tags: NSObject, XMLParserDelegate {
    private var counts: [String: Int] = [:]
    private(set) var ids: [String] = []
    private(set) var references: Set<String> = []
    /// Of the drawings.
    private(set) var labels: [String] = []

    init(_ html: String) throws {
        super.init()
        let parser = XMLParser(data: Data(html.utf8))
        parser.delegate = self
        let isWell = parser.parse()
        try #require(isWell, "\(parser.parserError as Any), line \(parser.lineNumber)")
    }

    func count(_ name: String) -> Int { counts[name] ?? 0 }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?, attributes: [String: String]
    ) {
        counts[name, default: 0] += 1
        if let id = attributes["id"] { ids.append(id) }
        if let reference = attributes["href"], reference.hasPrefix("#") { references.insert(String(reference.dropFirst())) }
        if name == "svg" { labels.append(attributes["aria-label"] ?? "") }
    }
}
