import ArgumentParser
import BenchmarkHarness
import BenchmarkReport
import Foundation

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Writes a page with figures, and a summary in Markdown, from raw results.",
        discussion: """
            Reads what bench run --json wrote. Without --html and --markdown both are written beside the results: report
            results.jsonl writes results.html and results.md. The page is one file that needs no other and no network. Its
            figures are drawn by matplotlib (apt-get install python3-matplotlib); the summary needs neither.

              bench run architectures --json results.jsonl
              bench report results.jsonl
              bench report results.jsonl --markdown -
            """)

    @Argument(help: "Raw results, a line of JSON for each run; - for standard input.")
    var results: String

    @Option(help: "Write the page to this file; - for standard output.")
    var html: String?

    @Option(help: "Write the summary to this file; - for standard output.")
    var markdown: String?

    @Option(help: "The Python that has matplotlib. (default: /usr/bin/python3, then python3)")
    var python: String?

    func validate() throws {
        if results == "-", html == nil, markdown == nil {
            throw ValidationError("with results from standard input, say where to write: --html PATH, --markdown PATH")
        }
        if html == "-", markdown == "-" { throw ValidationError("only one of --html and --markdown can go to standard output") }
    }

    func run() throws {
        do {
            try write()
        } catch let failure as Failure {
            StandardError.write("bench: \(failure)\n")
            throw ExitCode(1)
        }
    }

    /// - Throws: ``Failure`` where something cannot be read, drawn or written.
    func write() throws {
        let summaries = Dictionary(Bench.experiments.map { ($0.name, $0.summary) }) { first, _ in first }
        let report = Report(try read(), summaries: summaries)
        let isDefault = html == nil && markdown == nil
        // The summary first: it is there even if nothing can draw.
        if let path = markdown ?? (isDefault ? beside("md") : nil) { try write(MarkdownReport.text(report), to: path) }
        if let path = html ?? (isDefault ? beside("html") : nil) {
            let drawings = try Plotter(interpreters: python.map { [$0] } ?? Plotter.interpreters).draw(report.figures)
            try write(HTMLReport(report, drawings: drawings, style: try ReportStyle.text()).text, to: path)
            if path != "-" { StandardError.write("bench: report: \(path)\n") }
        }
    }

    private func read() throws -> ResultLines {
        let data: Data?
        if results == "-" {
            data = try FileHandle.standardInput.readToEnd()
        } else {
            do { data = try Data(contentsOf: URL(filePath: results)) } catch {
                throw Failure("cannot read \(results): is it what bench run --json wrote?")
            }
        }
        let lines = ResultLines(String(decoding: data ?? Data(), as: UTF8.self))
        guard !lines.lines.isEmpty else {
            throw Failure("\(results == "-" ? "standard input" : results) has no results: make some with bench run --json FILE")
        }
        if !lines.unreadable.isEmpty {
            let numbers = lines.unreadable.prefix(5).map(String.init).joined(separator: ", ")
            StandardError.write("bench: passed over what is no result: line \(numbers)\(lines.unreadable.count > 5 ? ", …" : "")\n")
        }
        return lines
    }

    private func beside(_ name: String) -> String {
        URL(filePath: results).deletingPathExtension().appendingPathExtension(name).path(percentEncoded: false)
    }

    private func write(_ text: String, to path: String) throws {
        if path == "-" { return try FileHandle.standardOutput.write(contentsOf: Data(text.utf8)) }
        do { try Data(text.utf8).write(to: URL(filePath: path), options: .atomic) } catch {
            throw Failure("cannot write \(path): \(error.localizedDescription)")
        }
    }
}
