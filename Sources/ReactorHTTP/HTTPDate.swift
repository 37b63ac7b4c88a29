import ReactorWire

/// The one date format to send, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
enum HTTPDate {
    private static let shape: StaticString = "Thu, 01 Jan 1970 00:00:00 GMT"
    private static let days: StaticString = "ThuFriSatSunMonTueWed"
    private static let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

    static func append(unixSeconds: Int64, to output: inout ByteQueue) {
        // The years 1970 to 9999: all that four digits hold and a clock shows.
        let seconds = Int(min(max(unixSeconds, 0), 253_402_300_799))
        let day = seconds / 86_400
        let time = seconds % 86_400
        let date = civil(day)
        output.append(capacity: shape.utf8CodeUnitCount) { room in
            room.copyMemory(from: UnsafeRawBufferPointer(start: shape.utf8Start, count: shape.utf8CodeUnitCount))
            for letter in 0..<3 {
                room[letter] = days.utf8Start[day % 7 * 3 + letter]
                room[8 + letter] = months.utf8Start[(date.month - 1) * 3 + letter]
            }
            twoDigits(date.day, at: 5, of: room)
            twoDigits(date.year / 100, at: 12, of: room)
            twoDigits(date.year % 100, at: 14, of: room)
            twoDigits(time / 3_600, at: 17, of: room)
            twoDigits(time / 60 % 60, at: 20, of: room)
            twoDigits(time % 60, at: 23, of: room)
            return shape.utf8CodeUnitCount
        }
    }

    /// The date of a day counted from 1970-01-01, reckoned in years that begin in March so that the leap day is last.
    private static func civil(_ day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func twoDigits(_ value: Int, at offset: Int, of room: UnsafeMutableRawBufferPointer) {
        room[offset] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value / 10)
        room[offset + 1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value % 10)
    }
}
