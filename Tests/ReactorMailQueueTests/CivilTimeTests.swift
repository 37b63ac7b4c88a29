import Glibc
import ReactorSMTP
import ReactorWire
import Testing

@Suite struct CivilTimeTests {
    @Test("dates", arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00Z"),
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 +0000", "1994-11-06T08:49:37Z"),
        (951_782_399, "Mon, 28 Feb 2000 23:59:59 +0000", "2000-02-28T23:59:59Z"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000", "2000-02-29T00:00:00Z"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 +0000", "2100-03-01T00:00:00Z"),
        (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 +0000", "9999-12-31T23:59:59Z"),
        (Int64.max, "Fri, 31 Dec 9999 23:59:59 +0000", "9999-12-31T23:59:59Z"),
        (Int64.min, "Thu, 01 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00Z"),
    ])
    func dates(_ seconds: Int64, _ mail: String, _ timestamp: String) {
        #expect(CivilTime(unixSeconds: seconds).mailDate == mail)
        #expect(CivilTime(unixSeconds: seconds).timestamp == timestamp)
    }

    /// Against the C library, a day and a bit at a time.
    @Test func everyDayOfTwoCenturies() {
        for seconds in stride(from: 0, to: 6_400_000_000, by: 86_400 + 3_607) {
            var parts = tm()
            var time = time_t(seconds)
            gmtime_r(&time, &parts)
            let ours = CivilTime(unixSeconds: Int64(seconds))
            #expect(ours.year == Int(parts.tm_year) + 1900 && ours.month == Int(parts.tm_mon) + 1)
            #expect(ours.day == Int(parts.tm_mday) && ours.weekday == Int(parts.tm_wday) && ours.hour == Int(parts.tm_hour))
        }
    }
}
