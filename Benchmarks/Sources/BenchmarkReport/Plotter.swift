package import BenchmarkHarness
import Foundation

/// Has the figures drawn by matplotlib, in a process of its own.
package struct Plotter {
    /// Debian's Python first, which python3-matplotlib is for; another may come first in the path.
    package static let interpreters = ["/usr/bin/python3", "python3"]

    private let interpreters: [String]

    package init(interpreters: [String] = Plotter.interpreters) { self.interpreters = interpreters }

    /// - Returns: an SVG for each figure, by the figure's name.
    /// - Throws: ``Failure`` that says what to install, if that is what is wrong.
    package func draw(_ figures: [Figure]) throws(Failure) -> [String: String] {
        guard let script = Bundle.module.path(forResource: "plots", ofType: "py") else {
            throw Failure("plots.py is missing beside bench: swift build --package-path Benchmarks")
        }
        let directory = FileManager.default.temporaryDirectory.appending(path: "bench-report-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        do {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
            let model = directory.appending(path: "figures.json")
            try JSONEncoder().encode(figures).write(to: model)
            try runScript([script, model.path(), directory.path()])
            var drawings: [String: String] = [:]
            for figure in figures {
                drawings[figure.id] = try String(contentsOf: directory.appending(path: figure.id + ".svg"), encoding: .utf8)
            }
            return drawings
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure("the figures could not be drawn: \(error.localizedDescription)")
        }
    }

    private func runScript(_ arguments: [String]) throws {
        for interpreter in interpreters {
            guard var python = try? ChildProcess([interpreter] + arguments, cpu: nil) else { continue }
            switch try python.wait(milliseconds: 300_000) {
            case .code(0): return
            // It isn't there, or says that it has no matplotlib.
            case .code(127), .code(3): continue
            case nil: throw Failure("\(interpreter) has not drawn the figures within five minutes")
            case .some(let status):
                let lines = python.printed().split(whereSeparator: \.isNewline)
                throw Failure("\(interpreter) ended with \(status) while it drew the figures: \(lines.last ?? "it said nothing")")
            }
        }
        throw Failure("no page was written: figures need Python with matplotlib (apt-get install python3-matplotlib, or --python PATH)")
    }
}

/// What the page looks like.
package enum ReportStyle {
    package static func text() throws(Failure) -> String {
        guard let path = Bundle.module.path(forResource: "report", ofType: "css"),
            let text = try? String(contentsOfFile: path, encoding: .utf8)
        else { throw Failure("report.css is missing beside bench: swift build --package-path Benchmarks") }
        return text
    }
}
