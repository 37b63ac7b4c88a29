import ConnectionHandling
import Foundation
import Reactor
import ReactorDNS
import TestSupport
import Testing

@testable import ReactorNames

/// What this machine knows by itself: literals, localhost, the hosts file, search domains, resolv.conf.
@Suite(.timeLimit(.minutes(40))) struct LocalTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    @Test(arguments: [
        ("192.0.2.7", RecordType.a, ["192.0.2.7"]), ("2001:db8::7", .aaaa, ["2001:db8::7"]), ("localhost", .a, ["127.0.0.1"]),
        ("localhost.", .aaaa, ["::1"]), ("x.LOCALHOST", .a, ["127.0.0.1"]),
    ])
    func nobodyIsAsked(_ text: String, _ type: RecordType, _ data: [String]) throws {
        let bench = try Bench { _, _ in .nothing }
        #expect(try bench.data(text, type) == data)
        #expect(bench.server.counts.all == 0)
    }

    @Test func thereIsNothingElseToThem() throws {
        let bench = try Bench { $0.searchDomains = ["test"] } answer: { _, _ in .nothing }
        #expect(try bench.error("192.0.2.7", .aaaa) == .noData(name: "192.0.2.7", type: .aaaa))
        #expect(try bench.error("localhost", .mx) == .noData(name: "localhost", type: .mx))
        #expect(try bench.error("x.invalid") == .nameDoesNotExist(name: "x.invalid", type: .a))
        #expect(try bench.error("x.onion") == .nameDoesNotExist(name: "x.onion", type: .a))
        #expect(bench.server.counts.all == 0)
    }

    @Test(arguments: ["192.0.2.7", "2001:db8::7"])
    func anAddressHasPointers(_ text: String) throws {
        let reverse = try #require(IPAddress(parsing: text)).reverseName
        let bench = try Bench { query, _ in
            .message(query.questions.first?.name == reverse ? query.answered(.ptr(name("host.test"))) : query.denied(.nameError))
        }
        #expect(try bench.data(text, .ptr) == ["host.test."])
    }

    @Test func theHostsFileIsReadAgain() throws {
        let file = directory.path + "/hosts"
        try directory.write("# names\n192.0.2.1\ta.test b.test # c.test\n\n2001:db8::1 a.test\n192.0.2.2 a.test\nbad d.test\n", to: "hosts")
        let bench = try Bench { $0.hostsFile = file } answer: { query, _ in .message(query.denied(.nameError)) }
        let answer = try bench.ask("A.test").get()
        #expect(answer.records.map { "\($0.data)" } == ["192.0.2.1", "192.0.2.2"] && answer.timeToLive == 0)
        #expect(try bench.data("a.test", .aaaa) == ["2001:db8::1"])
        #expect(try bench.data("192.0.2.1", .ptr) == ["a.test.", "b.test."])
        #expect(bench.server.counts.all == 0)
        for other in ["c.test", "d.test"] { #expect(try bench.error(other) == .nameDoesNotExist(name: other, type: .a)) }
        #expect(try bench.error("b.test", .mx) == .nameDoesNotExist(name: "b.test", type: .mx))
        try directory.write("192.0.2.9 a.test", to: "hosts")
        var data: [String] = []
        for _ in 0..<50 where data != ["192.0.2.9"] {
            usleep(100_000)
            data = try bench.data("a.test")
        }
        #expect(data == ["192.0.2.9"])
    }

    /// A server's address of the other family would lead to another machine.
    @Test func theHostsFileAnswersForBothFamilies() throws {
        try directory.write("192.0.2.1 a.test\n2001:db8::1 b.test\n192.0.2.1 x.localhost\n", to: "hosts")
        let file = directory.path + "/hosts"
        let bench = try Bench { $0.hostsFile = file } answer: { query, _ in
            .message(query.questions.first?.type == .a ? query.answered(.a(66)) : query.answered(.address(.v6(high: 66, low: 66))))
        }
        #expect(try bench.error("a.test", .aaaa) == .noData(name: "a.test", type: .aaaa))
        #expect(try bench.error("B.test", .a) == .noData(name: "B.test", type: .a))
        #expect(try bench.data("x.localhost", .aaaa) == ["::1"])
        #expect(bench.server.counts.all == 0)
        #expect(try bench.data("c.test", .a) == ["192.0.2.66"])
    }

    @Test func aHostsFileThatCannotBeReadChangesNothing() throws {
        let question = DNSMessage.Question(name: name("a.test"), type: .a)
        func answer(_ last: UInt8) -> Resolution {
            .records(
                [ResourceRecord(name: question.name, timeToLive: 0, data: .a(last))], canonicalName: question.name, timeToLive: 0)
        }
        let file = directory.path + "/hosts"
        try directory.write("192.0.2.1 a.test", to: "hosts")
        var hosts = HostsFile(path: file)
        var now = MonotonicTime(nanoseconds: 1)
        func refresh() {
            hosts.refresh(at: now)
            now = now.advanced(by: .seconds(1))
        }
        refresh()
        #expect(hosts.records(for: question) == answer(1))
        // It can be opened, but not read.
        try FileManager.default.removeItem(atPath: file)
        try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false)
        refresh()
        #expect(hosts.records(for: question) == answer(1))
        try FileManager.default.removeItem(atPath: file)
        refresh()
        #expect(hosts.records(for: question) == nil)
        try directory.write("192.0.2.2 a.test", to: "hosts")
        refresh()
        #expect(hosts.records(for: question) == answer(2))
    }

    @Test func whatCouldNotBeReadIsReadTheNextTime() throws {
        try directory.write("x", to: "file")
        var changes = FileChanges(path: directory.path + "/file")
        var come: [Bool] = []
        for second in 0..<4 {
            come.append(changes.haveCome(at: MonotonicTime(nanoseconds: 1).advanced(by: .seconds(second))))
            if second == 1 { changes.lookAgain() }
        }
        #expect(come == [true, false, true, false])
    }

    /// The name on a line that breaks off would be another.
    @Test func ofALongHostsFileWholeLinesCount() throws {
        let line = "192.0.2.1 a.test.example\n"
        let comment = "#" + String(repeating: "x", count: HostsFile.longest - 1 - line.utf8.count) + "\n"
        for (text, isKnown) in [(line, true), (" " + line, false)] {
            try directory.write(comment + text, to: "hosts")
            var hosts = HostsFile(path: directory.path + "/hosts")
            hosts.refresh(at: MonotonicTime(nanoseconds: 1))
            #expect(hosts.addresses.keys.map { "\($0)" } == (isKnown ? ["a.test.example."] : []))
        }
    }

    /// Answers `x.one.test`, says that `y.one.test` has none, and knows nothing else but itself.
    private func searching(_ names: [String], ndots: Int = 1) throws -> (Bench, Seen) {
        let seen = Seen()
        let bench = try Bench {
            $0.searchDomains = names
            $0.ndots = ndots
        } answer: { query, _ in
            let asked = query.questions.first.map { "\($0.name)" } ?? ""
            seen.add(asked)
            return switch asked {
            case "x.one.test.", "p.q.", "p.q.one.test.": .message(query.answered(.a(1)))
            case "y.one.test.": .message(query.denied(.noError))
            case "z.one.test.": .message(query.denied(.serverFailure))
            default: .message(query.denied(.nameError))
            }
        }
        return (bench, seen)
    }

    @Test func shortNamesAreCompleted() throws {
        let (bench, seen) = try searching(["zero.test", "one.test"])
        let answer = try bench.ask("x").get()
        #expect(answer.canonicalName == name("x.one.test"))
        #expect(seen.names == ["x.zero.test.", "x.one.test."])
    }

    @Test(arguments: [
        ("p.q", 1, ["p.q."]), ("p.q", 2, ["p.q.one.test."]), ("p.q.", 2, ["p.q."]), ("p.r", 1, ["p.r.", "p.r.one.test."]),
        // A dot in another script is one; a dot within a label is not the name's end.
        ("ü。", 1, ["xn--tda."]), (#"p\."#, 1, [#"p\..one.test."#, #"p\.."#]), (#"p\\."#, 1, [#"p\\."#]),
    ])
    func dotsSayWhatIsTriedFirst(_ text: String, _ ndots: Int, _ asked: [String]) throws {
        let (bench, seen) = try searching(["one.test"], ndots: ndots)
        _ = try bench.ask(text)
        #expect(seen.names == asked)
    }

    @Test func whatAllSayCounts() throws {
        let (bench, seen) = try searching(["one.test", "two.test"])
        #expect(try bench.error("y") == .noData(name: "y", type: .a))
        #expect(try bench.error("w") == .nameDoesNotExist(name: "w", type: .a))
        #expect(seen.names.count == 6)
        // A failure may hide the right answer: what stands behind it would be a guess.
        #expect(try bench.error("z") == .serverFailure(name: "z", type: .a))
        #expect(seen.names.last == "z.one.test.")
    }

    @Test func theSystemsConfigurationCounts() throws {
        try directory.write("search one.test two.test\noptions ndots:2\nnameserver 192.0.2.53\n", to: "resolv.conf")
        let file = directory.path + "/resolv.conf"
        let seen = Seen()
        let bench = try Bench {
            $0.configurationFile = file
            $0.searchDomains = nil
        } answer: { query, _ in
            seen.add(query.questions.first.map { "\($0.name)" } ?? "")
            return .message(query.denied(.nameError))
        }
        _ = try bench.ask("a.b")
        #expect(seen.names == ["a.b.one.test.", "a.b.two.test.", "a.b."])
        try directory.write("search three.test\n", to: "resolv.conf")
        for _ in 0..<50 where seen.names.last != "x.three.test." {
            usleep(100_000)
            _ = try bench.ask("x.y")
            _ = try bench.ask("x")
            if seen.names.contains("x.three.test.") { break }
        }
        #expect(seen.names.contains("x.three.test.") && seen.names.contains("x.y.three.test."))
    }

    @Test func theSystemsServersMayChange() throws {
        let file = directory.path + "/resolv.conf"
        try directory.write("nameserver 192.0.2.1\nnameserver 2001:db8::1\nsearch one.test\n", to: "resolv.conf")
        #expect(try SystemConfiguration(reading: file).servers == [
            .ipv4(0xC000_0201, port: 53), .ipv6(high: 0x2001_0DB8_0000_0000, low: 1, port: 53),
        ])
        var options = ResolverOptions()
        options.configurationFile = file
        var servers = try NameServers(options: options) { _, _, _, _ in }
        var now = MonotonicTime(nanoseconds: 1)
        let changedAtFirst = servers.refresh(at: now)
        #expect(!changedAtFirst && servers.channels.count == 2)
        try directory.write("nameserver 192.0.2.2\nsearch two.test\n", to: "resolv.conf")
        // Not before a second has passed.
        now = now.advanced(by: .milliseconds(999))
        let changedTooSoon = servers.refresh(at: now)
        now = now.advanced(by: .milliseconds(1))
        let changed = servers.refresh(at: now)
        #expect(!changedTooSoon && changed)
        #expect(servers.channels.count == 1 && servers.all.count == 3)
        #expect(servers.searchList.domains == [name("two.test")])
        // Those before had nothing under way.
        let changedAgain = servers.refresh(at: now)
        #expect(!changedAgain && servers.all.count == 1)
        for channel in servers.all { channel.close() }
    }

    @Test func optionsThatCannotBeMetAreRefused() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        for change: (inout ResolverOptions) -> Void in [
            { $0.servers = [.unix(path: "/x")] }, { $0.searchDomains = ["a..b"] },
        ] {
            var options = ResolverOptions.isolated(servers: [.loopback(port: 53)])
            change(&options)
            let error = #expect(throws: SystemError.self) { try Resolver(loop: loop, options: options) }
            #expect(error?.errno == EINVAL)
        }
    }
}
