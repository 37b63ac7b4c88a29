/// One of the home page's charts, as the page has it before its script draws: the last two minutes, the newest second at the
/// right edge. The script draws alike.
struct Chart {
    let name: String
    let title: String
    /// Of the paths, in the style.
    let inks: [String]
    /// Each as long as there are samples; nil leaves a gap.
    let lines: [[Double?]]
    let value: Quantity.Measure
    let note: String
    let label: String
    let scale: (Double) -> String

    private static let (width, height) = (240.0, 64.0)
    private static let template = Template(HomeMarkup.chart)

    var markup: String {
        let top = Self.roundTop(lines.joined().compactMap { $0 }.max() ?? 0)
        let areas = zip(inks, lines).prefix(1).map { "<path class=\"area \($0)\" d=\"\(Self.area($1, top))\"/>" }
        let strokes = zip(inks, lines).map { "<path class=\"line \($0)\" d=\"\(Self.line($1, top))\"/>" }
        return Self.template.filled([
            "name": name, "title": title, "value": value.value, "unit": value.unit, "top": scale(top), "label": label, "note": note,
            "paths": (areas + strokes).joined(),
        ])
    }

    /// 1, 2 or 5 times a power of ten.
    static func roundTop(_ value: Double) -> Double {
        if value <= 0 { return 1 }
        var power = 1.0
        while power * 10 <= value { power *= 10 }
        while power > value { power /= 10 }
        return [1, 2, 5, 10].map { $0 * power }.first { $0 >= value } ?? power * 10
    }

    /// The stretches of a line that have values, as points of the drawing.
    private static func runs(_ values: [Double?], _ top: Double) -> [[String]] {
        let step = width / Double(Sampling.kept - 1)
        var runs: [[String]] = [[]]
        for (index, value) in values.enumerated() {
            guard let value else {
                runs.append([])
                continue
            }
            let x = width - Double(values.count - 1 - index) * step
            runs[runs.count - 1].append("\(Quantity.fixed(max(x, 0), 1)) \(Quantity.fixed(height - 0.5 - (height - 2) * value / top, 1))")
        }
        return runs.filter { !$0.isEmpty }
    }

    private static func line(_ values: [Double?], _ top: Double) -> String {
        // A point alone is a short stroke.
        runs(values, top).map { "M" + $0.joined(separator: "L") + ($0.count == 1 ? "h.01" : "") }.joined()
    }

    private static func area(_ values: [Double?], _ top: Double) -> String {
        runs(values, top).compactMap { run in
            guard run.count > 1, let first = run.first?.split(separator: " ").first, let last = run.last?.split(separator: " ").first
            else { return nil }
            return "M\(first) 64L" + run.joined(separator: "L") + "L\(last) 64Z"
        }.joined()
    }
}

extension Chart {
    /// All of them.
    static func all(_ samples: [Sample], lag: SiteDescription.LagMeasurement) -> [Chart] {
        [requests(samples), latency(samples), connections(samples), self.lag(samples, lag)]
    }

    private static func requests(_ samples: [Sample]) -> Chart {
        let values = samples.map(\.requests)
        let text = "highest \(Quantity.count(values.max() ?? 0)), mean \(Quantity.count(mean(values)))"
        return Chart(
            name: "requests", title: "Requests", inks: ["a"], lines: [values], value: (Quantity.count(values.last ?? 0), "per second"),
            note: text, label: "Requests per second: \(text)", scale: Quantity.count)
    }

    private static func latency(_ samples: [Sample]) -> Chart {
        let (median, slow) = (samples.last?.median, samples.last?.slow)
        var value = Quantity.time(milliseconds: median)
        if !value.unit.isEmpty { value.unit += " median" }
        let highest = samples.compactMap(\.slow).max()
        let text = "99 % within \(Quantity.timeText(milliseconds: slow)), highest \(Quantity.timeText(milliseconds: highest))"
        return Chart(
            name: "latency", title: "Latency", inks: ["b", "c"], lines: [samples.map(\.median), samples.map(\.slow)], value: value,
            note: text, label: "Latency: median \(Quantity.timeText(milliseconds: median)), \(text)",
            scale: { Quantity.timeText(milliseconds: $0) })
    }

    private static func connections(_ samples: [Sample]) -> Chart {
        let values = samples.map { Double($0.connections) }
        let text = "highest \(Quantity.count(values.max() ?? 0))"
        return Chart(
            name: "connections", title: "Connections", inks: ["d"], lines: [values], value: (Quantity.count(values.last ?? 0), "open"),
            note: text, label: "Open connections: \(text)", scale: Quantity.count)
    }

    private static func lag(_ samples: [Sample], _ measurement: SiteDescription.LagMeasurement) -> Chart {
        let values = samples.map(\.lag)
        let text =
            switch measurement {
            case .measured: "a timer's lateness, highest \(Quantity.timeText(milliseconds: values.compactMap { $0 }.max()))"
            case .absent(let reason): "not measured: \(reason)"
            }
        return Chart(
            name: "lag", title: "Loop lag", inks: ["e"], lines: [values], value: Quantity.time(milliseconds: values.last ?? nil),
            note: text, label: "Loop lag: \(text)", scale: { Quantity.timeText(milliseconds: $0) })
    }

    private static func mean(_ values: [Double]) -> Double { values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count) }
}
