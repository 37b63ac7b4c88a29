import Foundation
import HTTPTestSupport
import ReactorHTTP
import ReactorTesting
import Testing

@Suite struct DateTests {
    /// Against Foundation's calendar: every day of two leap cycles, at a time that moves, and the far ends.
    @Test func datesAreThoseOfTheCalendar() throws {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        var moments: [Int64] = [0, 951_782_399, 951_782_400, 4_107_542_400, 253_402_300_799]
        moments += stride(from: 1_700_000_000, to: 1_960_000_000, by: 86_400 * 7 + 3_661)
        for moment in moments {
            let driver = TestDriver(HTTPServerHandler(application: SampleSite()), unixSeconds: moment)
            driver.receive("GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n")
            let output: String = driver.takeOutput()
            let expected = formatter.string(from: Date(timeIntervalSince1970: Double(moment)))
            #expect(output.contains("Date: \(expected)\r\n"))
        }
    }
}
