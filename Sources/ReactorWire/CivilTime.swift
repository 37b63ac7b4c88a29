/// A moment as date and time of day in UTC, as the protocols that write it for people need it.
package struct CivilTime {
    package let year, month, day, weekday, hour, minute, second: Int

    /// Moments outside the years 1970 to 9999 are moved to the nearer end: four digits is what their formats hold.
    package init(unixSeconds: Int64) {
        let seconds = Int(min(max(unixSeconds, 0), 253_402_300_799))
        let days = seconds / 86_400
        hour = seconds % 86_400 / 3_600
        minute = seconds % 3_600 / 60
        second = seconds % 60
        weekday = (days + 4) % 7  // 1970-01-01 was a Thursday.
        // Years counted from 1 March, so that the leap day is the last of its year; eras of 400 years.
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}
