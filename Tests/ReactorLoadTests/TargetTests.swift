import ConnectionHandling
import Foundation
@testable import ReactorLoad
import Testing

/// URLs, settings, and what a report says: no sockets.
@Suite struct TargetTests {
    @Test func urlsAreTakenApart() throws {
        let plain = try LoadTarget(parsing: "HTTP://127.0.0.1:8080/a/b?c=d#e")
        #expect(plain.scheme == .http && plain.path == "/a/b?c=d" && plain.host == "127.0.0.1" && plain.authority == "127.0.0.1:8080")
        guard case .address(.ipv4(0x7F00_0001, port: 8080)) = plain.place else { return #expect(Bool(false), "\(plain.place)") }
        #expect(try LoadTarget(parsing: "http://localhost").path == "/")
        #expect(try LoadTarget(parsing: "http://localhost?x").path == "/?x")
        #expect(try LoadTarget(parsing: "https://[::1]:8443/").authority == "[::1]:8443")
        #expect(try LoadTarget(parsing: "https://[::1]").host == "::1")
        #expect(try LoadTarget(parsing: "https://example.com:443/x").authority == "example.com")
        guard case .host("example.com", port: 443) = try LoadTarget(parsing: "https://example.com/x").place else {
            return #expect(Bool(false))
        }
        for (url, path) in [("rpc+http://127.0.0.1:8081", "/rpc"), ("rpc+https://127.0.0.1:8081/", "/rpc"), ("rpc+http://127.0.0.1:1/api", "/api")] {
            #expect(try LoadTarget(parsing: url).path == path)
        }
        guard case .address(.unix(path: "/run/a b")) = try LoadTarget(parsing: "http://unix:/run/a b").place,
            case .address(.unix(path: "\0name")) = try LoadTarget(parsing: "echo+tls://unix:@name").place,
            case .address(.ipv4(_, port: 25)) = try LoadTarget(parsing: "smtp://127.0.0.1").place
        else { return #expect(Bool(false)) }
    }

    @Test(arguments: [
        "", "127.0.0.1:8080", "://x", "ftp://127.0.0.1/", "http://", "http://:80", "http://127.0.0.1:0", "http://127.0.0.1:99999",
        "http://127.0.0.1:8a/", "http://127.0.0/", "http://user@host/", "http://[::1/", "http://a b/", "http://127.0.0.1/a b", "http://127.0.0.1/é",
        "smtp://127.0.0.1:25/path", "echo+udp://127.0.0.1:7", "http://unix:", "http://1.2.3.4.5/",
    ]) func whatIsNoTargetIsRefused(_ url: String) {
        #expect(throws: LoadMistake.self) { try LoadTarget(parsing: url) }
    }

    @Test func settingsHaveBounds() throws {
        let target = try LoadTarget(parsing: "http://127.0.0.1:1/")
        let changes: [(inout LoadPlan) -> Void] = [
            { $0.connections = 0 }, { $0.connections = 1_000_001 }, { $0.pipeline = 0 }, { $0.duration = 0 }, { $0.duration = .nan },
            { $0.warmUp = -1 }, { $0.ramp = .infinity }, { $0.timeout = 0 }, { $0.idle = -1 }, { $0.size = 0 }, { $0.method = "GE T" },
            { $0.method = "CONNECT" }, { $0.headers = [("a b", "c")] }, { $0.headers = [("a", "b\r\nc: d")] },
            { $0.headers = [("Content-Length", "3")] }, { $0.mailTo = "a>b" }, { $0.mailFrom = "a\r\n" },
            { ($0.reconnects, $0.pipeline) = (true, 2) }, { $0.arrivals = .init(rate: 0) }, { $0.arrivals = .init(rate: 1e9) },
            { $0.arrivals = .init(rate: .nan) }, { $0.size = LoadPlan.largestMessage + 1 },
        ]
        for (index, change) in changes.enumerated() {
            var plan = LoadPlan(target)
            try plan.validate()
            change(&plan)
            #expect(throws: LoadMistake.self, "\(index)") { try plan.validate() }
        }
    }

    // MARK: The verdict

    private func doubts(open: Bool = false, share: Double = 0.5, waited: Double = 0, p99: Double = 1_000, lag: Double = 0) -> Int {
        Verdict(isOpenLoop: open, share: share, waitedShare: waited, latencyP99: p99, lagP99: lag).doubts.count
    }

    @Test func aBottleneckIsNotVouchedFor() {
        #expect(doubts() == 0)
        #expect(doubts(share: 0.949) == 0)
        #expect(doubts(share: 0.95) == 1)
        #expect(doubts(open: true, share: 0.95) == 1)
        #expect(doubts(share: 0.7, waited: 0.3) == 1)
        #expect(doubts(share: 0.9, waited: 0.09) == 0)
        #expect(doubts(share: 0.3, waited: 0.3) == 0)
        #expect(doubts(open: true, share: 0.7, waited: 0.3) == 0)
        #expect(doubts(open: true, p99: 5_000, lag: 999) == 0)
        #expect(doubts(open: true, p99: 5_000, lag: 1_001) == 1)
        #expect(doubts(open: true, p99: 500_000, lag: 1_001) == 0)
        #expect(doubts(open: false, lag: 50_000) == 0)
    }
}
