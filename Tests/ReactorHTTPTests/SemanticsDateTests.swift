import Foundation
import ReactorHTTP
import ReactorTesting
import ReactorWire
import Testing

func span<Result>(_ text: String, _ body: (RawSpan) -> Result) -> Result { body(Array(text.utf8).span.bytes) }

@Suite struct SemanticsDateTests {
    /// In 2026.
    private static let now: Int64 = 1_780_000_000

    @Test(arguments: [
        // RFC 9110 section 5.6.7.
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
        ("Sun Nov  6 08:49:37 1994", 784_111_777),
        ("Wed Nov 16 08:49:37 1994", 784_975_777),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600),
        ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
        ("Sat, 01 Jan 0000 00:00:00 GMT", -62_167_219_200),
        // Two digits: 50 years ahead at most.
        ("Saturday, 06-Nov-76 00:00:00 GMT", 3_371_846_400),
        ("Sunday, 06-Nov-77 00:00:00 GMT", 247_622_400),
        ("Monday, 06-Nov-00 00:00:00 GMT", 973_468_800),
        ("Saturday, 06-Nov-99 00:00:00 GMT", 941_846_400),
    ])
    func datesAreRead(_ text: String, _ seconds: Int64) {
        #expect(span(text) { HTTPDate.parse($0, now: Self.now) } == seconds)
    }

    @Test(arguments: [
        "", "0", "784111777", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "sun, 06 nov 1994 08:49:37 gmt",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Son, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nob 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 1900 00:00:00 GMT", "Thu, 29 Feb 2001 00:00:00 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Sun,  6 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT", "Sonntag, 06-Nov-94 08:49:37 GMT", "Sunday 06-Nov-94 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 94", " Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun Nov    08:49:37 1994", ", 06-Nov-94 08:49:37 GMT", ",",
    ])
    func whatIsNoDate(_ text: String) {
        #expect(span(text) { HTTPDate.parse($0, now: Self.now) } == nil)
    }

    @Test func whatIsWrittenIsRead() {
        for seconds in stride(from: Int64(0), to: 253_402_300_799, by: 86_400 * 97 + 3_661) {
            var output = ByteQueue()
            HTTPDate.append(unixSeconds: seconds, to: &output)
            #expect(HTTPDate.parse(output.bytes, now: 0) == seconds)
        }
    }

    @Test func brokenDatesNeverTrap() {
        var generator = SystemRandomNumberGenerator()
        for sample in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            for _ in 0..<2_000 {
                var bytes = Array(sample.utf8)
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
                _ = HTTPDate.parse(bytes.span.bytes.slice(0..<Int.random(in: 0...bytes.count)), now: Self.now)
            }
        }
    }
}
