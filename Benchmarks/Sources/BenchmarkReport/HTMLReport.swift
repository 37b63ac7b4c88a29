import Foundation

/// The report as one page that needs nothing else: no script, no font, no image from elsewhere.
package struct HTMLReport {
    private let report: Report
    private let drawings: [String: String]
    private let style: String
    private var figureNumbers: [String: Int] = [:]

    /// - Parameter drawings: an SVG for each figure, by its name.
    package init(_ report: Report, drawings: [String: String], style: String) {
        self.report = report
        self.drawings = drawings
        self.style = style
        for (index, figure) in report.figures.enumerated() { figureNumbers[figure.id] = index + 1 }
    }

    package var text: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        <title>Server architectures, measured</title>
        <style>
        \(style)</style>
        </head>
        <body>
        <header>
        <h1>Server architectures, measured</h1>
        <p class="lead">\(escaped(report.lead))</p>
        <dl class="facts">
        \(report.facts.map { "<div><dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd></div>" }.joined(separator: "\n"))
        </dl>
        </header>
        <main>
        \(findings)
        \(contents)
        \(report.sections.map(section).joined(separator: "\n"))
        \(noise)
        \(method)
        </main>
        </body>
        </html>

        """
    }

    // MARK: Parts

    private var findings: String {
        let items = report.findings.map {
            "<li><b>\(escaped($0.experiment))</b>: \(marked($0.text)) \(reference($0.figure))</li>"
        }
        let warnings = report.warnings.map { "<p class=\"warning\"><strong>Note:</strong> \(escaped($0))</p>" }
        return """
            <section id="findings"><h2>What this run says</h2>
            \(items.isEmpty ? "<p>Nothing was measured.</p>" : "<ul class=\"findings\">\(items.joined(separator: "\n"))</ul>")
            <p><b>Noise</b>: \(marked(report.noise.sentence)) <a href="#noise-section">Noise</a></p>
            \(warnings.joined(separator: "\n"))
            </section>
            """
    }

    private func reference(_ figure: String) -> String {
        figureNumbers[figure].map { "<a href=\"#\(escaped(figure))\">Figure\u{A0}\($0)</a>" } ?? ""
    }

    private var contents: String {
        guard report.sections.count > 1 else { return "" }
        let links = report.sections.map { "<li><a href=\"#\(id($0))\">\(escaped($0.results.name))</a></li>" }
            + ["<li><a href=\"#noise-section\">noise</a></li>", "<li><a href=\"#method\">method and settings</a></li>"]
        return "<nav aria-label=\"Contents\"><ul>\(links.joined())</ul></nav>"
    }

    private func id(_ section: Report.Section) -> String {
        "experiment-" + section.results.name.map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined()
    }

    private func section(_ section: Report.Section) -> String {
        let figures = section.figures.map(figure).joined(separator: "\n")
        let remarks = Report.remarks(section.results).map { "<li>\(marked($0))</li>" }
        let numbers = ReportTable(section.results, main: true).map {
            "<details><summary>Numbers</summary>\(table($0, caption: "\(section.results.name): medians and intervals"))</details>"
        }
        let others = ReportTable(section.results, main: false).map {
            "<details class=\"other\"><summary>Other measures</summary>"
                + table($0, caption: "\(section.results.name): other measures") + "</details>"
        }
        return """
            <section id="\(id(section))"><h2>\(escaped(section.results.name))</h2>
            \(section.summary.isEmpty ? "" : "<p>\(escaped(section.summary))</p>")
            \(figures.isEmpty ? "" : "<div class=\"figures\">\(figures)</div>")
            \(numbers ?? "")
            \(remarks.isEmpty ? "" : "<ul class=\"remarks\">\(remarks.joined(separator: "\n"))</ul>")
            \(others ?? "")
            </section>
            """
    }

    private func figure(_ figure: Figure) -> String {
        guard let drawing = drawings[figure.id] else { return "" }
        let label = escaped("\(figure.title). \(figure.sentence.replacing("`", with: ""))")
        let number = figureNumbers[figure.id].map { "Figure\u{A0}\($0). " } ?? ""
        let notes = figure.notes.map { "<small>\(marked($0))</small>" }.joined(separator: " ")
        return """
            <figure id="\(escaped(figure.id))" class="\(figure.kind.rawValue)"><h3>\(escaped(figure.title))</h3>
            \(drawing.replacing("<svg ", with: "<svg role=\"img\" aria-label=\"\(label)\" ", maxReplacements: 1))
            <figcaption><b>\(number)</b>\(marked(figure.sentence)) \(notes)</figcaption></figure>
            """
    }

    private var noise: String {
        """
        <section id="noise-section"><h2>Noise</h2>
        \(report.noise.figure.map { "<div class=\"figures\">\(figure($0))</div>" } ?? "<p>\(marked(report.noise.sentence))</p>")
        </section>
        """
    }

    private var method: String {
        let commands = report.sections.enumerated().map { escaped(Report.command($1.results, isFirst: $0 == 0)) }.joined(separator: "\n")
        let settings = report.sections.map { section in
            let started = section.results.subjects.compactMap { subject in
                section.results.lines.last { $0.subject == subject && !$0.command.isEmpty }.map {
                    "<tr><th scope=\"row\">\(escaped(subject))</th><td><code>\(escaped($0.command.joined(separator: " ")))</code></td></tr>"
                }
            }
            guard !started.isEmpty else { return "" }
            let name = escaped(section.results.name)
            return """
                <details><summary>\(name)</summary>
                <div class="scroll" role="region" aria-label="\(name): commands" tabindex="0"><table class="commands"><tbody>
                \(started.joined(separator: "\n"))</tbody></table></div></details>
                """
        }
        return """
            <section id="method"><h2>Method and settings</h2>
            <p>\(escaped(report.method))</p>
            <h3>To make these runs again</h3>
            <pre class="scroll" tabindex="0">\(commands)
            bench report results.jsonl</pre>
            <h3>How servers were started</h3>
            <p>Each as in its last run.</p>
            \(settings.joined(separator: "\n"))
            </section>
            """
    }

    // MARK: Tables

    private func table(_ table: ReportTable, caption: String) -> String {
        let head = table.headings.map { "<th scope=\"col\">\(escaped($0))</th>" }.joined()
        let body = table.groups.map { group in
            let rows = group.rows.map { row in
                let marks = row.marks.isEmpty ? "" : " <span class=\"mark\">\(row.marks)</span>"
                let name = "<th scope=\"row\">\(escaped(row.subject))\(marks)</th>"
                if let failure = row.failure {
                    return "<tr class=\"failed\">\(name)<td colspan=\"\(table.headings.count - 1)\">\(escaped(failure))</td></tr>"
                }
                let cells = row.cells.map { cell in
                    "<td>\(escaped(cell.value))\(cell.interval.isEmpty ? "" : "<small>\(escaped(cell.interval))</small>")</td>"
                }
                return "<tr>\(name)\(cells.joined())</tr>"
            }
            let title = "<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"\(table.headings.count)\">\(escaped(group.title))</th></tr>"
            return "<tbody>\(title)\n\(rows.joined(separator: "\n"))</tbody>"
        }
        return """
            <div class="scroll" role="region" aria-label="\(escaped(caption))" tabindex="0"><table><caption>\(escaped(caption))</caption>
            <thead><tr>\(head)</tr></thead>
            \(body.joined(separator: "\n"))</table></div>
            """
    }

    // MARK: Text

    /// Every text that comes from a file goes through this.
    private func escaped(_ text: String) -> String {
        let allowed = text.unicodeScalars.map { $0.value < 32 || $0.value == 0xFFFE || $0.value == 0xFFFF ? " " : Character($0) }
        return String(allowed).replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    /// Subjects stand between backticks in sentences.
    private func marked(_ text: String) -> String {
        let parts = escaped(text).split(separator: "`", omittingEmptySubsequences: false)
        guard parts.count % 2 == 1 else { return escaped(text) }
        return parts.enumerated().map { $0.offset % 2 == 1 ? "<code>\($0.element)</code>" : String($0.element) }.joined()
    }
}
