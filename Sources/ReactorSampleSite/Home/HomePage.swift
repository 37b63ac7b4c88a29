import ReactorWeb

/// The home page: what is running, how it fares, and a form for each endpoint. Whole without its script.
struct HomePage: Sendable {
    private static let template = Template(HomeMarkup.page)
    private static let newest = 10

    let description: SiteDescription
    /// Of the style and the script: their addresses change with them, so that browsers may keep them.
    let styleVersion: String
    let scriptVersion: String

    /// - Parameters:
    ///   - authority: the host that the page was asked of, as the request says it.
    ///   - origin: the page's own, for what one types into a terminal.
    func markup(
        _ samples: [Sample], _ totals: Totals, now: Int64, authority: String, origin: String, peer: String
    ) -> String {
        Self.template.filled(values(samples, totals, now: now, authority: authority, origin: origin, peer: peer))
    }

    func values(
        _ samples: [Sample], _ totals: Totals, now: Int64, authority: String, origin: String, peer: String
    ) -> [String: String] {
        [
            "live": description.streamsSamples ? "stream" : "ask",
            "css": styleVersion, "js": scriptVersion, "host": authority, "origin": origin, "peer": peer,
            "version": description.version, "architecture": description.architecture, "concurrency": description.concurrency,
            "scope": description.scope, "tls": description.tls, "files": description.files, "process": description.process(),
            "queue": description.queue == nil ? "" : "<div><dt>Mail</dt><dd><a href=\"/queue\">the queue</a></dd></div>",
            "listeners": description.listeners.map(HTMLText.escaped).joined(separator: "<br>"),
            "since": "\(Quantity.date(description.since)) \(Quantity.clock(description.since)) UTC",
            "since.iso": Quantity.iso(description.since),
            "uptime": Quantity.duration(seconds: Int(clamping: max(now - description.since, 0))),
            "now": "\(Quantity.clock(now)) UTC", "now.iso": Quantity.iso(now),
            "total.requests": Quantity.count(Double(totals.requests)), "total.connections": Quantity.count(Double(totals.opened)),
            "total.bytes": Quantity.bytes(Double(totals.sent)),
            "charts": Chart.all(samples, lag: description.lag).map(\.markup).joined(),
            "rows": samples.suffix(Self.newest).reversed().map(row).joined(),
        ]
    }

    private func row(_ sample: Sample) -> String {
        let cells = [
            Quantity.clock(sample.time), Quantity.count(sample.requests), Quantity.timeText(milliseconds: sample.median),
            Quantity.timeText(milliseconds: sample.slow), Quantity.count(Double(sample.connections)),
            Quantity.timeText(milliseconds: sample.lag), Quantity.bytes(sample.sent),
        ]
        return "<tr>" + cells.map { "<td>\($0)</td>" }.joined() + "</tr>"
    }
}
