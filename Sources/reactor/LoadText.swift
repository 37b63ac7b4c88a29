import Foundation
import Glibc
import ReactorLoad

extension LoadReport {
    /// For people.
    var text: String {
        var lines: [(String, String)] = []
        let mode = isOpenLoop ? "open loop" : "closed loop"
        let idle = idleConnections > 0 ? " and \(idleConnections) idle ones" : ""
        lines.append(("load", "\(mode), \(connections) connections\(idle), \(fixed(seconds, 1)) s\(wasInterrupted ? ", interrupted" : "")"))
        if let offeredRate { lines.append(("offered", "\(grouped(offeredRate)) requests a second")) }
        lines.append(("answered", "\(grouped(achievedRate)) requests a second, \(grouped(Double(requests))) in all"))
        lines.append(("received", "\(size(Double(bytesReceived))), \(size(seconds > 0 ? Double(bytesReceived) / seconds : 0)) a second"))
        let named = [
            ("p50", latency.p50), ("p90", latency.p90), ("p99", latency.p99), ("p99.9", latency.p99_9), ("max", latency.max),
            ("mean", latency.mean),
        ]
        if requests > 0 { lines.append(("latency", named.map { "\($0.0) \(span($0.1))" }.joined(separator: "  "))) }
        if let sendLag { lines.append(("sent late", "p99 \(span(sendLag.p99))  max \(span(sendLag.max))")) }
        lines.append(("fairness", fixed(fairness, 3)))
        lines.append((
            "own CPU",
            "\(Int((cpu.share * 100).rounded())) % of a core: \(fixed(cpu.userSeconds, 2)) s user, \(fixed(cpu.systemSeconds, 2)) s system"
        ))
        lines.append(("errors", errors.all == 0 ? "none" : "\(grouped(Double(errors.all)))"))
        for kind in LoadErrors.Kind.allCases where errors[kind] > 0 {
            lines.append(("  \(kind.rawValue)", "\(grouped(Double(errors[kind]))): \(errors.examples[kind] ?? "")"))
        }
        let width = lines.map(\.0.count).max() ?? 0
        return ([url] + lines.map { "  " + $0.0.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.1 }).joined(separator: "\n")
    }
}

/// One line on the terminal, written anew each second.
final class LoadProgress {
    private let start = "\r\u{1B}[K"

    func show(_ moment: LoadMoment) {
        let left = "\(Int(moment.secondsLeft.rounded(.up))) s left"
        let errors = moment.errors > 0 ? "  errors \(moment.errors)" : ""
        let state = moment.isWarmingUp
            ? "warming up" : "\(grouped(moment.rate))/s  p50 \(span(moment.p50))  p99 \(span(moment.p99))\(errors)"
        put("\(start)\(left)  \(state)")
    }

    func clear() { put(start) }

    private func put(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

/// Microseconds, in the unit that suits them.
private func span(_ microseconds: Double) -> String {
    if microseconds < 1_000 { return "\(fixed(microseconds, microseconds < 100 ? 1 : 0)) µs" }
    if microseconds < 1_000_000 { return "\(fixed(microseconds / 1_000, microseconds < 100_000 ? 2 : 0)) ms" }
    return "\(fixed(microseconds / 1_000_000, 2)) s"
}

private func size(_ bytes: Double) -> String {
    var (value, unit) = (bytes, "B")
    for next in ["KiB", "MiB", "GiB", "TiB"] where value >= 1_024 { (value, unit) = (value / 1_024, next) }
    return "\(fixed(value, unit == "B" ? 0 : 1)) \(unit)"
}

private func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

/// With a comma between thousands.
private func grouped(_ value: Double) -> String {
    let digits = Array(String(Int(value.rounded())))
    return String(digits.enumerated().flatMap { index, digit in
        index > 0 && (digits.count - index) % 3 == 0 ? [",", digit] : [digit]
    })
}
