/// What wrk printed at the end of a run with `--latency`.
package struct WrkReport: Equatable, Sendable {
    package var requests: UInt64
    /// Seconds that the run lasted.
    package var seconds: Double
    package var requestsPerSecond: Double
    /// Median latency, in microseconds.
    package var p50: Double
    package var p90: Double
    package var p99: Double
    package var worst: Double?
    /// Socket errors: connect, read, write.
    package var socketErrors: UInt64 = 0
    /// Responses that came later than wrk's time-out of two seconds.
    package var timeouts: UInt64 = 0
    /// Responses with a status of 400 or above.
    package var badStatuses: UInt64 = 0
    /// What wrk itself used of one core; it does not say, whoever ran it knows.
    package var share = 0.0

    /// Why what was measured may have been wrk: `reactor load` says the same of itself.
    package var doubts: [String] {
        guard share >= 0.95 else { return [] }
        return ["the generator, wrk, used \(Int((share * 100).rounded())) % of a core: it was the bottleneck, or nearly so"]
    }

    /// - Throws: ``Failure`` if the text is not a complete report.
    package init(_ text: String) throws(Failure) {
        var found: [String: Double] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "," })
            guard words.count >= 2 else { continue }
            switch words[0] {
            case "50%", "90%", "99%": found[String(words[0])] = Self.microseconds(words[1])
            // Average, standard deviation, maximum.
            case "Latency" where words.count > 3: found["max"] = Self.microseconds(words[3])
            case "Requests/sec:": found["rate"] = Double(words[1])
            case "Socket": (socketErrors, timeouts) = Self.errors(words)
            case "Non-2xx": badStatuses = words.last.flatMap { UInt64($0) } ?? 0
            default:
                if words.count >= 4, words[1] == "requests", words[2] == "in" {
                    found["requests"] = Double(words[0])
                    found["seconds"] = Self.microseconds(words[3]).map { $0 / 1_000_000 }
                }
            }
        }
        guard let requests = found["requests"], let seconds = found["seconds"], let rate = found["rate"],
            let p50 = found["50%"], let p90 = found["90%"], let p99 = found["99%"]
        else {
            let line = text.split(separator: "\n").last.map(String.init) ?? "nothing"
            throw Failure("wrk gave no report; it printed: \(line)")
        }
        self.requests = UInt64(requests)
        self.seconds = seconds
        requestsPerSecond = rate
        self.p50 = p50
        self.p90 = p90
        self.p99 = p99
        worst = found["max"]
    }

    /// "12.34ms" in microseconds.
    static func microseconds(_ text: Substring) -> Double? {
        let units: [(String, Double)] = [("us", 1), ("ms", 1000), ("s", 1e6), ("m", 60e6), ("h", 3600e6)]
        for (suffix, factor) in units where text.hasSuffix(suffix) {
            if let value = Double(text.dropLast(suffix.count)) { return value * factor }
        }
        return nil
    }

    /// `Socket errors: connect 0, read 1, write 2, timeout 3`
    private static func errors(_ words: [Substring]) -> (UInt64, UInt64) {
        var socket: UInt64 = 0, timeouts: UInt64 = 0
        for (name, value) in zip(words, words.dropFirst()) {
            guard let count = UInt64(value) else { continue }
            if name == "timeout" { timeouts += count } else { socket += count }
        }
        return (socket, timeouts)
    }
}
