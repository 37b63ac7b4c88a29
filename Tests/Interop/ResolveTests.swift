import ConnectionHandling
import Foundation
import ReactorDNS
import TestSupport
import Testing

/// `reactor resolve` beside dig, against a name server of ours.
@Suite(.timeLimit(.minutes(40))) struct ResolveTests {
    private static func name(_ text: String) -> DomainName { (try? DomainName(parsing: text)) ?? .root }

    private static let zone: [String: [RecordData]] = [
        "host.test.": [.address(.v4(0xC000_0201)), .address(.v4(0xC000_0202)), .address(.v6(high: 0x2001_0DB8 << 32, low: 1))],
        "only.test.": [.address(.v4(0xC000_0203))],
        "alias.test.": [.cname(name("www.test"))],
        "www.test.": [.cname(name("host.test"))],
        "xn--bcher-kva.test.": [.address(.v4(0xC000_0204))],
        "mail.test.": [
            .mx(preference: 10, exchange: name("mx.test")),
            .txt([Array("v=spf1 \"-all\"".utf8), [0x1B, 0xFF]]),
            .srv(priority: 1, weight: 2, port: 25, target: name("mx.test")),
            .ns(name("ns.test")),
            .caa(flags: 128, tag: Array("issue".utf8), value: Array("ca.test; a=b".utf8)),
            .soa(StartOfAuthority(primary: name("ns.test"), mailbox: name("a\\.b.test"), serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5)),
            .naptr(
                NamingAuthorityPointer(
                    order: 1, preference: 2, flags: Array("u".utf8), services: Array("E2U+sip".utf8), regularExpression: Array("!^.*$!sip:a@b!".utf8),
                    replacement: .root)),
            .unknown(RecordType(rawValue: 65), [0, 1, 0]),
        ],
        "1.2.0.192.in-addr.arpa.": [.cname(name("1.0-63.2.0.192.in-addr.arpa"))],
        "1.0-63.2.0.192.in-addr.arpa.": [.ptr(name("host.test"))],
        "1.\(String(repeating: "0.", count: 23))8.b.d.0.1.0.0.2.ip6.arpa.": [.ptr(name("host.test"))],
        "short.search.test.": [.address(.v4(0xC000_0205))],
        "nick.search.test.": [.cname(name("host.test"))],
    ]

    /// As a recursive server: aliases come with what they lead to.
    private func nameServer() throws -> ThreadedNameServer {
        let zone = Self.zone
        return try ThreadedNameServer { query, _ in
            guard let question = query.questions.first else { return .nothing }
            switch "\(question.name)" {
            case "silent.test.": return .nothing
            case "broken.test.": return .message(query.denied(.serverFailure))
            case "refused.test.": return .message(query.denied(.refused))
            case "garbage.test.": return .bytes([[0, 0, 0]])
            default: break
            }
            var response = query.answered()
            var next = question.name
            while let data = zone["\(next)".lowercased()] {
                let matching = data.filter { $0.type == question.type || $0.type == .cname }
                response.answers += matching.map { ResourceRecord(name: next, timeToLive: 60, data: $0) }
                guard question.type != .cname, case .cname(let target)? = matching.first else { break }
                next = target
            }
            return .message(zone["\(next)".lowercased()] == nil ? query.denied(.nameError) : response)
        }
    }

    private func resolve(_ server: ThreadedNameServer, _ arguments: [String], input: String = "") throws -> CommandResult {
        try run(
            ServerProcess.executable("reactor").path, ["resolve"] + arguments + ["--server", "\(server.address)", "--timeout", "1"], input: input,
            seconds: 20)
    }

    private func dig(_ server: ThreadedNameServer, _ arguments: [String]) throws -> CommandResult {
        let port = server.address.port.map(String.init) ?? ""
        return try run("dig", ["@127.0.0.1", "-p", port, "+short", "+nocookie", "+tries=1", "+time=2"] + arguments, seconds: 20)
    }

    @Test(arguments: [
        ["host.test", "A"], ["host.test", "AAAA"], ["alias.test", "A"], ["alias.test", "AAAA"], ["alias.test", "CNAME"], ["mail.test", "MX"],
        ["mail.test", "TXT"], ["mail.test", "SRV"], ["mail.test", "NS"], ["mail.test", "CAA"], ["mail.test", "SOA"], ["mail.test", "NAPTR"],
        ["-x", "192.0.2.1"], ["-x", "2001:db8::1"], ["host.test.", "a"], ["HOST.test", "A"], ["only.test", "AAAA"], ["none.test", "A"],
    ])
    func itPrintsWhatDigPrints(_ arguments: [String]) throws {
        let server = try nameServer()
        let ours = try resolve(server, arguments)
        let theirs = try dig(server, arguments)
        #expect(ours.output == theirs.output)
        #expect(ours.output.isEmpty == (ours.status != 0), "\(ours.errors)")
        #expect(["only.test", "none.test"].contains(arguments[0]) == ours.output.isEmpty)
    }

    @Test(arguments: [
        (["alias.test"], "www.test.\nhost.test.\n192.0.2.1\n192.0.2.2\n2001:db8::1\n"),
        (["only.test"], "192.0.2.3\n"),
        (["mail.test", "ns", "MX"], "ns.test.\n10 mx.test.\n"),
        // What dig prints as text, when it knows the type.
        (["mail.test", "TYPE65"], "\\# 3 000100\n"),
        (["127.0.0.9"], "127.0.0.9\n"),
        (["BÜCHER.test"], "192.0.2.4\n"),
        (["localhost", "AAAA"], "::1\n"),
    ])
    func severalTypesAreOneAnswer(_ arguments: [String], _ output: String) throws {
        let result = try resolve(nameServer(), arguments)
        #expect(result.output == output && result.status == 0 && result.errors.isEmpty)
    }

    @Test(arguments: [
        (["none.test"], 1, "cannot look up none.test (A): there is no such name"),
        (["none.test", "MX"], 1, "cannot look up none.test (MX): there is no such name"),
        (["-x", "192.0.2.9"], 1, "there is no such name"),
        (["short"], 1, "there is no such name"),
        (["host.test", "MX"], 2, "cannot look up host.test: the name has no MX record"),
        (["mail.test"], 2, "cannot look up mail.test: the name has no A or AAAA record"),
        (["broken.test"], 3, "the name server failed"),
        (["refused.test"], 3, "the name server refuses to answer"),
        (["silent.test"], 3, "no name server answered in time"),
        (["garbage.test"], 3, "cannot look up garbage.test (A): "),
        (["a..b"], 64, "a label of the name is empty"),
        (["-ü.test"], 64, "internationalised"),
        (["host.test", "NONSENSE"], 64, "write one such as A, AAAA"),
        (["host.test", "ANY"], 64, "write one such as A, AAAA"),
        (["host.test", "TYPE41"], 64, "write one such as A, AAAA"),
        (["-x", "host.test"], 64, "is not an address"),
        (["host.test", "-x", "::1"], 64, "give a name to look up, or -x"),
        ([], 64, "give a name to look up, or -x"),
        (["host.test", "--server", "nowhere"], 64, "host:port"),
        (["host.test", "--server", "unix:/x"], 64, "such as 192.0.2.53"),
    ] as [([String], Int32, String)])
    func theStatusTellsWhy(_ arguments: [String], _ status: Int32, _ reason: String) throws {
        let arguments = arguments.first?.hasPrefix("-ü") == true ? ["--"] + arguments : arguments
        let server = try nameServer()
        let result = try arguments.first == "--"
            ? run(ServerProcess.executable("reactor").path, ["resolve", "--server", "\(server.address)"] + arguments) : resolve(server, arguments)
        #expect(result.status == status)
        #expect(result.output.isEmpty)
        #expect(result.errors.hasPrefix("reactor: ") && result.errors.contains(reason), "\(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    }

    /// What is known is printed although something else failed, which the status says.
    @Test func namesComeFromTheStandardInput() throws {
        let server = try nameServer()
        let good = try resolve(server, ["-", "A"], input: "host.test\n\n  only.test \r\n")
        #expect(good.output == "192.0.2.1\n192.0.2.2\n192.0.2.3\n" && good.status == 0 && good.errors.isEmpty)
        let mixed = try resolve(server, ["-"], input: "only.test\nmail.test\nnone.test\nbroken.test\nonly.test")
        #expect(mixed.output == "192.0.2.3\n192.0.2.3\n")
        #expect(mixed.status == 3)
        #expect(mixed.errors.split(separator: "\n").count == 3)
        // A terminal is not told to do anything by what stands in a list of names.
        for type in ["A", "MX"] {
            let hostile = try resolve(server, ["-", type], input: "\u{1B}[31m.none.test\u{7}\n")
            #expect(hostile.errors.contains(#"\u{1B}[31m.none.test\u{7}"#) && !hostile.errors.contains("\u{1B}"))
        }
        let none = try resolve(server, ["-"], input: "")
        #expect(none.output.isEmpty && none.status == 0 && none.errors.isEmpty)
    }

    /// resolv.conf(5): the environment overrides the file's search domains.
    @Test(arguments: [("short", "192.0.2.5\n"), ("nick", "host.test.\n192.0.2.1\n192.0.2.2\n")])
    func shortNamesAreCompletedWhenAskedTo(_ name: String, _ output: String) throws {
        let server = try nameServer()
        let program = ServerProcess.executable("reactor").path
        let arguments = ["LOCALDOMAIN=search.test", program, "resolve", name, "A", "--server", "\(server.address)"]
        let completed = try run("env", arguments + ["--search"])
        #expect(completed.output == output && completed.status == 0, "\(completed.errors)")
        let alone = try run("env", arguments)
        #expect(alone.output.isEmpty && alone.status == 1)
    }

    @Test func theNextServerIsAskedWhenOneFails() throws {
        let server = try nameServer()
        let broken = try ThreadedNameServer { query, _ in .message(query.denied(.serverFailure)) }
        let result = try run(
            ServerProcess.executable("reactor").path, ["resolve", "only.test", "--server", "\(broken.address)", "--server", "\(server.address)"])
        #expect(result.output == "192.0.2.3\n" && result.status == 0)
        #expect(broken.counts.all > 0)
    }

    @Test func helpSaysWhatTheStatusesMean() throws {
        let help = try reactor("resolve", "--help").output
        for line in ["0   there are records", "1   there is no such name", "2   the name is there", "3   failure", "64  the arguments"] {
            #expect(help.contains(line))
        }
    }
}
