/// The report as a page of Markdown (GitHub's, for the tables).
package enum MarkdownReport {
    package static func text(_ report: Report) -> String {
        var parts = ["# Server architectures, measured", escaped(report.lead)]
        parts.append(report.facts.map { "- \($0.name): \(escaped($0.value))" }.joined(separator: "\n"))
        if !report.findings.isEmpty {
            parts.append("## What this run says")
            parts.append(report.findings.map { "- **\(escaped($0.experiment))**: \(escaped($0.text))" }.joined(separator: "\n"))
        }
        if !report.warnings.isEmpty { parts.append(report.warnings.map { "> \(escaped($0))" }.joined(separator: "\n>\n")) }
        parts.append("## Noise\n\n\(escaped(report.noise.sentence))")
        for (index, section) in report.sections.enumerated() { parts.append(text(section, isFirst: index == 0)) }
        parts.append("## Method\n\n\(report.method)")
        return parts.joined(separator: "\n\n") + "\n"
    }

    private static func text(_ section: Report.Section, isFirst: Bool) -> String {
        var parts = ["## \(escaped(section.results.name))"]
        if !section.summary.isEmpty { parts.append(escaped(section.summary)) }
        let notes = section.figures.flatMap(\.notes).uniqued()
        let sentences = section.figures.map { "- \(escaped($0.title)): \(escaped($0.sentence))" } + notes.map { "- \(escaped($0))" }
        if !sentences.isEmpty { parts.append(sentences.joined(separator: "\n")) }
        if let table = ReportTable(section.results, main: true) {
            for group in table.groups {
                var rows = [row(table.headings), "|---|" + String(repeating: "---:|", count: table.headings.count - 1)]
                rows += group.rows.map { line in
                    let name = line.subject + (line.marks.isEmpty ? "" : " " + line.marks)
                    if let failure = line.failure { return row([name, failure] + table.headings.dropFirst(2).map { _ in "" }) }
                    return row([name] + line.cells.map { $0.interval.isEmpty ? $0.value : "\($0.value) (\($0.interval))" })
                }
                parts.append("### \(escaped(section.results.name)), \(escaped(group.title))\n\n" + rows.joined(separator: "\n"))
            }
        }
        let remarks = Report.remarks(section.results)
        if !remarks.isEmpty { parts.append(remarks.map { "- \(escaped($0))" }.joined(separator: "\n")) }
        parts.append("    " + escaped(Report.command(section.results, isFirst: isFirst)))
        return parts.joined(separator: "\n\n")
    }

    private static func row(_ cells: [String]) -> String { "| " + cells.map(escaped).joined(separator: " | ") + " |" }

    /// What would end a cell or a line, or be taken for HTML or a quotation.
    private static func escaped(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("<", with: "&lt;").replacing(">", with: "&gt;").split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
