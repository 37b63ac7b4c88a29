/// Rows of text laid out in columns. The first column is set to the left, all others to the right.
package struct TextTable {
    private var headings: [String]
    private var rows: [Row] = []

    private enum Row {
        case cells([String])
        case message(label: String, String)
        case section(String)
    }

    package init(_ headings: [String]) { self.headings = headings }

    /// Cells that are missing at the end are left empty.
    package mutating func add(_ cells: [String]) { rows.append(.cells(cells)) }
    /// A row whose first cell is followed by a sentence instead of numbers.
    package mutating func add(_ label: String, message: String) { rows.append(.message(label: label, message)) }
    /// A title for the rows that follow, with a blank line above.
    package mutating func addSection(_ title: String) { rows.append(.section(title)) }

    package func rendered() -> String {
        let widths = headings.indices.map { column in
            rows.reduce(headings[column].count) { width, row in
                switch row {
                case .cells(let cells): max(width, column < cells.count ? cells[column].count : 0)
                case .message(let label, _): column == 0 ? max(width, label.count) : width
                case .section: width
                }
            }
        }
        var lines = [line(headings, widths), widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")]
        for row in rows {
            switch row {
            case .cells(let cells): lines.append(line(cells, widths))
            case .message(let label, let text): lines.append(padded(label, widths[0], left: true) + "  " + text)
            case .section(let title): lines += ["", title]
            }
        }
        return lines.joined(separator: "\n")
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (column, cell) in cells.enumerated() where column < widths.count {
            if column > 0 { line += "  " }
            line += padded(cell, widths[column], left: column == 0)
        }
        while line.last == " " { line.removeLast() }
        return line
    }

    private func padded(_ text: String, _ width: Int, left: Bool) -> String {
        let padding = String(repeating: " ", count: max(0, width - text.count))
        return left ? text + padding : padding + text
    }
}
