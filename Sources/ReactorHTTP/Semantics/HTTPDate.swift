package import ReactorWire

/// The one date format to send, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
package enum HTTPDate {
    private static let shape: StaticString = "Thu, 01 Jan 1970 00:00:00 GMT"
    private static let days: StaticString = "SunMonTueWedThuFriSat"
    private static let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

    package static func append(unixSeconds: Int64, to output: inout ByteQueue) {
        let time = CivilTime(unixSeconds: unixSeconds)
        output.append(capacity: shape.utf8CodeUnitCount) { room in
            room.copyMemory(from: UnsafeRawBufferPointer(start: shape.utf8Start, count: shape.utf8CodeUnitCount))
            for letter in 0..<3 {
                room[letter] = days.utf8Start[time.weekday * 3 + letter]
                room[8 + letter] = months.utf8Start[(time.month - 1) * 3 + letter]
            }
            twoDigits(time.day, at: 5, of: room)
            twoDigits(time.year / 100, at: 12, of: room)
            twoDigits(time.year % 100, at: 14, of: room)
            twoDigits(time.hour, at: 17, of: room)
            twoDigits(time.minute, at: 20, of: room)
            twoDigits(time.second, at: 23, of: room)
            return shape.utf8CodeUnitCount
        }
    }

    private static func twoDigits(_ value: Int, at offset: Int, of room: UnsafeMutableRawBufferPointer) {
        room[offset] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value / 10)
        room[offset + 1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value % 10)
    }
}
