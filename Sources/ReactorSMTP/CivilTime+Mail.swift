package import ReactorWire

/// The two ways mail writes a moment.
extension CivilTime {
    /// As header fields have it (RFC 5322 section 3.3): `Sun, 06 Nov 1994 08:49:37 +0000`.
    package var mailDate: String {
        let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return "\(weekdays[weekday]), \(two(day)) \(months[month - 1]) \(four(year)) \(timeOfDay) +0000"
    }

    /// As JSON has it (RFC 3339): `1994-11-06T08:49:37Z`.
    package var timestamp: String { "\(four(year))-\(two(month))-\(two(day))T\(timeOfDay)Z" }

    private var timeOfDay: String { "\(two(hour)):\(two(minute)):\(two(second))" }
    private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    private func four(_ number: Int) -> String { "\(two(number / 100))\(two(number % 100))" }
}
