import Foundation

extension LoadReport {
    /// One JSON object on one line; its keys are a contract, written down in the guide.
    public var json: String {
        let errors = LoadErrors.Kind.allCases.map { ($0.rawValue, "\(self.errors[$0])") }
        let latency = [
            ("min", self.latency.min), ("mean", self.latency.mean), ("p50", self.latency.p50), ("p90", self.latency.p90),
            ("p99", self.latency.p99), ("p99_9", self.latency.p99_9), ("max", self.latency.max),
        ].map { ($0.0, number($0.1)) }
        let seconds = timeline.map { list(["\($0.second)", "\($0.answered)", number($0.p50), number($0.p99), "\($0.errors)"]) }
        return object([
            ("url", string(url)),
            ("mode", string(isOpenLoop ? "open" : "closed")),
            ("connections", "\(connections)"),
            ("idle_connections", "\(idleConnections)"),
            ("duration_seconds", number(self.seconds)),
            ("offered_rate", offeredRate.map(number) ?? "null"),
            ("achieved_rate", number(achievedRate)),
            ("requests", "\(requests)"),
            ("bytes_received", "\(bytesReceived)"),
            ("errors", object(errors)),
            ("latency_us", object(latency)),
            ("percentiles", list(percentiles.map { list($0.map(number)) })),
            ("fairness", number(fairness)),
            ("timeline", list(seconds)),
            (
                "load_cpu",
                object([
                    ("user_seconds", number(cpu.userSeconds)), ("system_seconds", number(cpu.systemSeconds)),
                    ("share", number(cpu.share)), ("waited_seconds", number(cpu.waitedSeconds)),
                ])
            ),
            ("send_lag_us", sendLag.map { object([("p99", number($0.p99)), ("max", number($0.max))]) } ?? "null"),
            ("interrupted", "\(wasInterrupted)"),
            ("vouched", "\(isVouched)"),
            ("doubts", list(doubts.map(string))),
        ])
    }

    private func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\(string($0.0)):\($0.1)" }.joined(separator: ",") + "}"
    }

    private func list(_ elements: [String]) -> String { "[" + elements.joined(separator: ",") + "]" }

    private func string(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }

    /// No number here needs more than six decimals, and none is infinite.
    private func number(_ value: Double) -> String {
        let rounded = (value * 1e6).rounded() / 1e6
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
    }
}
