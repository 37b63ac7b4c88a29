@testable import ConnectionHandling
import ReactorHTTP
import ReactorTesting
import ReactorWire
import Testing

@testable import ReactorWeb

@Suite struct TokenBucketTests {
    private let start = MonotonicTime(nanoseconds: 5_000_000_000)

    @Test func atTheLimitAndPastIt() {
        let bucket = TokenBucket(limit: 10, window: .seconds(1), burst: 3)
        var full = start
        for left: UInt64 in [2, 1, 0] {
            #expect(bucket.take(&full, at: start) == .init(isAllowed: true, remaining: left, untilFull: (3 - left) * 100_000_000))
        }
        let refused = bucket.take(&full, at: start)
        #expect(!refused.isAllowed && refused.wait == 100_000_000 && refused.untilFull == 300_000_000)
        // A refusal costs nothing, and whoever waits as told comes in.
        #expect(!bucket.take(&full, at: start.advanced(byNanoseconds: 99_999_999)).isAllowed)
        #expect(bucket.take(&full, at: start.advanced(byNanoseconds: 100_000_000)).isAllowed)
    }

    @Test func overTimeTheRateIsKept() {
        let bucket = TokenBucket(limit: 7, window: .seconds(1), burst: 5)
        var full = start
        var allowed = 0
        for step in 0..<100_000 where bucket.take(&full, at: start.advanced(byNanoseconds: UInt64(step) * 100_000)).isAllowed { allowed += 1 }
        #expect(allowed == 5 + 7 * 10 - 1 || allowed == 5 + 7 * 10)
    }

    @Test func extremes() {
        let huge = TokenBucket(limit: 1, window: .seconds(Int64.max), burst: .max)
        var full = MonotonicTime(nanoseconds: .max - 5)
        _ = huge.take(&full, at: MonotonicTime(nanoseconds: .max - 5))
        _ = huge.take(&full, at: MonotonicTime(nanoseconds: 0))
        let tiny = TokenBucket(limit: .max, window: .nanoseconds(1), burst: 1)
        full = start
        #expect(tiny.take(&full, at: start).isAllowed)
        // A clock that is behind another loop's.
        #expect(!tiny.take(&full, at: start.advanced(byNanoseconds: 0)).isAllowed)
    }

    @Test func clients() throws {
        func key(_ text: String) throws -> ClientKey { ClientKey(try SocketAddress(parsing: text)) }
        #expect(try key("[2001:db8::1]:80") == key("[2001:db8::ffff:2]:90"))
        #expect(try key("[2001:db8::1]:80") != key("[2001:db8:0:1::1]:80"))
        #expect(try key("192.0.2.1:80") == key("[::ffff:192.0.2.1]:90"))
        #expect(try key("192.0.2.1:80") != key("192.0.2.2:80"))
        func text(_ text: String) -> ClientKey { ClientKey(Array(text.utf8).span.bytes) }
        let long = String(repeating: "k", count: 5_000)
        #expect(text(long) == text(long) && text(long) != text(long + "k") && text("a") != text("b"))
    }

    @Test func theTableIsBounded() {
        let table = BucketTable(capacity: 160)
        let bucket = TokenBucket(limit: 1, window: .seconds(1), burst: 1)
        for address in 0..<10_000 { _ = table.take(from: bucket, for: .ipv4(UInt32(address)), at: start) }
        #expect(table.count <= 160 && table.count > 100)
        // Full buckets go by themselves.
        let later = start.advanced(by: .seconds(2))
        for address in 20_000..<20_400 { _ = table.take(from: bucket, for: .ipv4(UInt32(address)), at: later.advanced(by: .seconds(2 * (address - 20_000)))) }
        #expect(table.count <= 32)
    }
}

@Suite struct RateLimitTests {
    @Test func tellsWhatIsLeft() {
        let connection = GuardedConnection(RateLimit(2, per: .seconds(10)))
        let first = connection.send()
        #expect(first.status == "200")
        #expect(first.fields("RateLimit-Policy") == ["\"default\";q=2;w=10"])
        #expect(first.fields("RateLimit") == ["\"default\";r=1;t=5"])
        #expect(first.field("Retry-After") == nil)
        #expect(connection.send().field("RateLimit") == "\"default\";r=0;t=10")
        let refused = connection.send()
        #expect(refused.status == "429")
        #expect(refused.field("Retry-After") == "5")
        #expect(refused.body.contains("429"))
        connection.driver.advance(by: .seconds(5))
        #expect(connection.send().status == "200")
    }

    @Test func inSilence() {
        let connection = GuardedConnection(RateLimit(1, per: .seconds(1), announces: false))
        #expect(connection.send().field("RateLimit") == nil)
        let refused = connection.send()
        #expect(refused.status == "429" && refused.field("RateLimit") == nil && refused.field("Retry-After") == "1")
    }

    @Test func connectionsOfAPeerShare() throws {
        let limit = RateLimit(1, per: .seconds(60))
        let one = try SocketAddress(parsing: "[2001:db8::1]:1000")
        let neighbour = try SocketAddress(parsing: "[2001:db8::2]:1000")
        let other = try SocketAddress(parsing: "[2001:db9::1]:1000")
        #expect(GuardedConnection([limit], peer: one).send().status == "200")
        #expect(GuardedConnection([limit], peer: neighbour).send().status == "429")
        #expect(GuardedConnection([limit], peer: other).send().status == "200")
    }

    @Test func byFieldAndClosure() {
        let byKey = GuardedConnection(RateLimit(1, per: .seconds(60), by: .field("x-key")))
        #expect(byKey.send(["X-Key: a"]).status == "200")
        #expect(byKey.send(["X-Key: a"]).status == "429")
        #expect(byKey.send(["X-Key: b"]).status == "200")
        #expect(byKey.send().status == "200")
        #expect(byKey.send().status == "429")
        let free = GuardedConnection(
            RateLimit(1, per: .seconds(60), by: .custom { request, _ in request.path.equals("/free") ? nil : request.path.text }))
        for _ in 0..<5 { #expect(free.send(target: "/free").status == "200") }
        #expect(free.send(target: "/x").status == "200")
        #expect(free.send(target: "/x").status == "429")
        #expect(free.send(target: "/y").status == "200")
    }
}
