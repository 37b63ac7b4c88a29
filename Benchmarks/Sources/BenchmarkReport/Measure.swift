import BenchmarkHarness
import Foundation

/// What a metric is called and how its values are written. Metrics that aren't known here are told by the end of their key.
package struct Measure: Sendable {
    package let key: String
    /// Short, for the head of a column.
    package let label: String
    /// For an axis.
    package let title: String
    package let unit: Unit
    package let lead: Lead

    package enum Unit: String, Encodable, Sendable { case count, microseconds, bytes, seconds, share, plain }

    /// Who comes first, and how one says so.
    package enum Lead: Sendable {
        case most(first: String, last: String)
        case least(first: String, last: String)

        var first: String { switch self { case .most(let first, _), .least(let first, _): first } }
        var last: String { switch self { case .most(_, let last), .least(_, let last): last } }
        /// `are fastest`, of several.
        var firstOfMany: String {
            let words = first.split(separator: " ", maxSplits: 1).map(String.init)
            let verb = ["is": "are", "has": "have", "does": "do"][words[0]] ?? String(words[0].dropLast())
            return ([verb] + words.dropFirst()).joined(separator: " ")
        }
        var isMost: Bool { if case .most = self { true } else { false } }
    }

    /// It was read off a timeline of seconds: neither digits nor ratios of it mean anything.
    var isToTheSecond: Bool { key == Sentences.recovery }

    package func text(_ value: Double) -> String {
        switch unit {
        case .count: Format.count(value)
        case .microseconds: Self.time(value)
        case .bytes: Format.bytes(value)
        case .seconds: isToTheSecond ? String(format: "%.0f s", value) : Self.time(value * 1e6)
        case .share: String(format: "%.1f %%", value * 100)
        case .plain: value.magnitude < 100 ? String(format: "%.2f", value) : Format.count(value)
        }
    }

    /// Three digits tell all that runs can tell.
    private static func time(_ microseconds: Double) -> String {
        let (value, unit) =
            switch microseconds {
            case ..<999.5: (microseconds, "µs")
            case ..<999_500: (microseconds / 1000, "ms")
            default: (microseconds / 1e6, "s")
            }
        let digits = unit == "µs" || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
        return String(format: "%.\(digits)f \(unit)", value)
    }

    /// A value in a sentence, with what it is of.
    package func phrase(_ value: Double) -> String {
        if unit == .bytes, value <= 0 { return "none to be seen" }
        return unit == .count || unit == .plain ? "\(text(value)) \(label)" : text(value)
    }

    /// The interval, if there is one that can be seen.
    package func interval(_ estimate: Estimate) -> String? {
        let (low, high) = (text(estimate.low), text(estimate.high))
        return estimate.count > 1 && low != high ? "\(low)–\(high)" : nil
    }
}

extension Measure {
    /// The speed of an experiment is the first of these that it has, its cost and its memory likewise.
    package static let speeds = [
        "requests_per_second", "round_trips_per_second", "connections_per_second", "calls_per_second",
        "durable_messages_per_second", "messages_per_second", "unkept_messages_per_second", "datagrams_per_second",
        "lookups_per_second", "achieved_per_second", "answered_per_second", "bytes_per_second",
    ]
    package static let costs = [
        "server_cpu_us_per_request", "server_cpu_us_per_round_trip", "server_cpu_us_per_durable_message",
        "server_cpu_us_per_message", "server_cpu_us_per_call", "server_cpu_us_per_unkept_message",
        "server_cpu_us_per_datagram", "server_cpu_us_per_mebibyte", "cpu_us_per_lookup", "instructions_per_head",
    ]
    package static let memories = [
        "pss_per_idle_connection_bytes", "pss_per_connection_bytes", "pss_per_echo_connection_bytes", "pss_peak_growth_bytes",
    ]
    /// Columns of the tables, in this order; the others are in a table of their own.
    package static let columns =
        ["offered_per_second"] + speeds + ["p50_us", "p90_us", "p99_us", "p999_us", "max_us"] + costs + [
            "server_cpu_user_us_per_request", "server_cpu_system_us_per_request",
        ] + memories + ["pss_at_rest_bytes", "recovery_seconds", "burst_seconds", "fairness_jain"]

    package init(_ key: String) {
        let words = key.replacing("_", with: " ")
        func most(_ label: String, _ title: String, _ unit: Unit, _ first: String, _ last: String) -> Measure {
            Measure(key: key, label: label, title: title, unit: unit, lead: .most(first: first, last: last))
        }
        func least(_ label: String, _ title: String, _ unit: Unit, _ first: String, _ last: String) -> Measure {
            Measure(key: key, label: label, title: title, unit: unit, lead: .least(first: first, last: last))
        }
        switch key {
        case "offered_per_second": self = most("offered/s", "requests offered per second", .count, "offers most", "least")
        case "p999_us": self = least("p99.9", "p99.9", .microseconds, "has the lowest p99.9", "the highest")
        case "fairness_jain":
            self = most("fairness", "Jain's fairness between clients", .plain, "is fairest", "least fair")
        case Cell.againstWrk: self = most("× wrk", "requests by reactor load for each by wrk", .plain, "counts most", "least")
        case "burst_seconds": self = least("burst", "time until all are answered", .seconds, "is done first", "last")
        case "recovery_seconds":
            self = least("recovery", "time until normal again, to the second", .seconds, "recovers first", "last")
        case "instructions_per_head":
            self = least("instructions", "instructions for a request's head", .count, "needs the fewest instructions", "the most")
        case "bytes_per_second": self = most("bytes/s", "bytes per second", .bytes, "is fastest", "slowest")
        case "connections_per_server_cpu_second":
            self = most("connections/CPU s", "connections per CPU second", .count, "does most with a CPU", "least")
        case let key where key.hasSuffix("_per_second"):
            let what = key.dropLast("_per_second".count).replacing("_", with: " ")
            self = most("\(what)/s", "\(what) per second", .count, "is fastest", "slowest")
        case let key where key.contains("cpu") && key.contains("_us_per_"):
            let what = key.components(separatedBy: "_us_per_").last?.replacing("_", with: " ") ?? ""
            let part = key.contains("_user_") ? "user " : key.contains("_system_") ? "system " : ""
            let label = part.isEmpty ? "CPU µs/\(Self.abbreviated(what))" : "\(part)µs"
            self = least(label, "CPU µs for each \(what)", .plain, "needs the least CPU", "the most")
        case let key where key.hasSuffix("_us"):
            let what = key.dropLast(3).replacing("_", with: " ")
            self = least(String(what), String(what), .microseconds, "has the lowest \(what)", "the highest")
        case let key where key.contains("pss") && key.contains("bytes"):
            let title = key.hasPrefix("pss_per_") ? "memory (PSS) for each \(key.contains("idle") ? "idle " : "")connection" : words
            let label =
                switch key {
                case "pss_per_connection_bytes": "memory/conn"
                case "pss_per_idle_connection_bytes": "memory/idle conn"
                case "pss_at_rest_bytes": "at rest"
                default: words.replacing("pss", with: "PSS").replacing(" bytes", with: "")
                }
            self = least(label, title, .bytes, "needs the least memory", "the most")
        case let key where key.hasSuffix("_bytes"):
            self = least(words.replacing(" bytes", with: ""), words, .bytes, "has the least", "the most")
        case let key where key.hasSuffix("_seconds"):
            self = least(words.replacing(" seconds", with: ""), words, .seconds, "takes the least time", "the most")
        case let key where key.hasSuffix("_share"):
            self = least(words, words, .share, "has the least", "the most")
        default: self = least(words, words, .plain, "has the least", "the most")
        }
    }

    private static func abbreviated(_ what: String) -> String {
        ["request": "req", "round trip": "round trip", "durable message": "message"][what] ?? what
    }
}
