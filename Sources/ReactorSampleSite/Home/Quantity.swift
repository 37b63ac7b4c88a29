import ReactorWire

/// Numbers as people read them. The page's script writes them alike.
enum Quantity {
    /// A number and its unit.
    typealias Measure = (value: String, unit: String)

    static func count(_ value: Double) -> String {
        if value >= 1e6 { return fixed(value / 1e6, 2) + " M" }
        if value >= 1e4 { return fixed(value / 1e3, 1) + " k" }
        return fixed(value, 0)
    }

    static func time(milliseconds value: Double?) -> Measure {
        guard let value else { return ("–", "") }
        if value < 1 { return (fixed(value * 1000, 0), "µs") }
        if value < 1000 { return (fixed(value, value < 10 ? 2 : value < 100 ? 1 : 0), "ms") }
        return (fixed(value / 1000, 2), "s")
    }

    static func timeText(milliseconds value: Double?) -> String {
        let (value, unit) = time(milliseconds: value)
        return unit.isEmpty ? value : value + " " + unit
    }

    static func bytes(_ value: Double) -> String {
        for (size, unit) in [(1_073_741_824.0, "GiB"), (1_048_576, "MiB"), (1024, "KiB")] where value >= size {
            return fixed(value / size, 1) + " " + unit
        }
        return fixed(value, 0) + (value.rounded() == 1 ? " byte" : " bytes")
    }

    /// The two largest units: `3 h 20 min`.
    static func duration(seconds: Int) -> String {
        if seconds < 60 { return "\(seconds) s" }
        var (rest, parts) = (seconds, [String]())
        for (size, unit) in [(86_400, "d"), (3_600, "h"), (60, "min")] where seconds >= size && parts.count < 2 {
            parts.append("\(rest / size) \(unit)")
            rest %= size
        }
        return parts.joined(separator: " ")
    }

    /// The digits of a decimal number, which is finite and not negative.
    static func fixed(_ value: Double, _ places: Int) -> String {
        var scale = 1
        for _ in 0..<places { scale *= 10 }
        guard let scaled = Int(exactly: (value * Double(scale)).rounded()) else { return "–" }
        let digits = String(scaled % scale)
        return places == 0
            ? String(scaled) : "\(scaled / scale)." + String(repeating: "0", count: places - digits.count) + digits
    }

    // MARK: Moments

    static func date(_ unixSeconds: Int64) -> String {
        let time = CivilTime(unixSeconds: unixSeconds)
        return "\(time.year)-\(two(time.month))-\(two(time.day))"
    }

    static func clock(_ unixSeconds: Int64) -> String {
        let time = CivilTime(unixSeconds: unixSeconds)
        return "\(two(time.hour)):\(two(time.minute)):\(two(time.second))"
    }

    static func iso(_ unixSeconds: Int64) -> String { "\(date(unixSeconds))T\(clock(unixSeconds))Z" }

    private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
