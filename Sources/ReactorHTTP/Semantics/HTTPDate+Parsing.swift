import ReactorWire

extension HTTPDate {
    /// Seconds since 1970 of a date in any of the three formats; nil if it is none. The name of the day is not compared
    /// with the date.
    ///
    /// - Parameter now: what tells the century of a year of two digits: 50 years ahead at most.
    public static func parse(_ text: RawSpan, now: Int64) -> Int64? {
        // IMF-fixdate.
        if fits(text, "aaa, 00 aaa 0000 00:00:00 GMT"), isDay(text.slice(0..<3)) {
            return seconds(text, year: number(text, 12, 4), month: 8, day: 5, time: 17)
        }
        // asctime-date: its day has two places, the first of which may be a space.
        if fits(text, "aaa aaa _0 00:00:00 0000"), isDay(text.slice(0..<3)) {
            return seconds(text, year: number(text, 20, 4), month: 4, day: 8, time: 11)
        }
        guard let comma = text.firstIndex(of: UInt8(ascii: ",")), isLongDay(text.slice(0..<comma)) else { return nil }
        let rest = text.slice(comma..<text.byteCount)
        guard fits(rest, ", 00-aaa-00 00:00:00 GMT") else { return nil }
        return seconds(rest, year: century(number(rest, 9, 2), now: now), month: 5, day: 2, time: 12)
    }

    /// `0` stands for a digit, `a` for a letter, `_` for a space or a digit, the others for themselves.
    private static func fits(_ text: RawSpan, _ shape: StaticString) -> Bool {
        guard text.byteCount == shape.utf8CodeUnitCount else { return false }
        for index in 0..<text.byteCount {
            let byte = text[index]
            let isFit =
                switch shape.utf8Start[index] {
                case UInt8(ascii: "0"): ByteClass.isDigit(byte)
                case UInt8(ascii: "a"): (byte | 0x20) &- UInt8(ascii: "a") < 26
                case UInt8(ascii: "_"): ByteClass.isDigit(byte) || byte == UInt8(ascii: " ")
                case let other: byte == other
                }
            if !isFit { return false }
        }
        return true
    }

    private static func number(_ text: RawSpan, _ offset: Int, _ count: Int) -> Int {
        var value = 0
        for index in offset..<offset + count where text[index] != UInt8(ascii: " ") {
            value = value * 10 + Int(text[index] & 0x0F)
        }
        return value
    }

    private static func isDay(_ name: RawSpan) -> Bool {
        name.equals("Sun") || name.equals("Mon") || name.equals("Tue") || name.equals("Wed") || name.equals("Thu")
            || name.equals("Fri") || name.equals("Sat")
    }

    private static func isLongDay(_ name: RawSpan) -> Bool {
        name.equals("Sunday") || name.equals("Monday") || name.equals("Tuesday") || name.equals("Wednesday")
            || name.equals("Thursday") || name.equals("Friday") || name.equals("Saturday")
    }

    private static func century(_ year: Int, now: Int64) -> Int {
        let current = CivilTime(unixSeconds: now).year
        let same = current - current % 100 + year
        return same > current + 50 ? same - 100 : same <= current - 50 ? same + 100 : same
    }

    private static func month(_ name: RawSpan) -> Int? {
        for (index, month) in monthNames.enumerated() where name.equals(month) { return index + 1 }
        return nil
    }

    private static let monthNames: [StaticString] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func seconds(_ text: RawSpan, year: Int, month: Int, day: Int, time: Int) -> Int64? {
        guard let month = self.month(text.slice(month..<month + 3)) else { return nil }
        let day = number(text, day, 2)
        let hour = number(text, time, 2)
        let minute = number(text, time + 3, 2)
        let second = number(text, time + 6, 2)
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let longest = month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
        // A minute may have a leap second.
        guard day >= 1, day <= longest, hour < 24, minute < 60, second <= 60 else { return nil }
        // Years counted from 1 March, so that the leap day is the last of its year; eras of 400 years.
        let shifted = month <= 2 ? year + 399 : year + 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let yearOfEra = shifted % 400
        let days = shifted / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468 - 146_097
        return Int64(days * 86_400 + hour * 3_600 + minute * 60 + second)
    }
}
