import ConnectionHandling
import Foundation
import Reactor
import ReactorDNS
import ReactorNames
import TestSupport
import Testing

/// A zone under Debian's nsd, asked by us and by dig: both print the same.
@Suite(.timeLimit(.minutes(40))) struct NameTests {
    /// One of each kind, and more of one than a datagram holds.
    private static let zone = ##"""
        $ORIGIN interop.test.
        $TTL 300
        @ SOA ns1 john\.doe.example.test. 2026010203 7200 900 1209600 60
        @ NS ns1
        @ NS ns2.example.net.
        ns1 A 192.0.2.53
        www A 192.0.2.1
        www A 192.0.2.2
        www AAAA 2001:db8::1
        www AAAA 2001:db8:0:0:1:0:0:1
        www AAAA ::ffff:192.0.2.1
        @ MX 10 mail
        @ MX 0 .
        @ TXT "v=spf1 -all" "a\"b\\c;d" "\000\127\255 x"
        _sip._udp SRV 1 2 5060 sip.example.net.
        1.2.0.192 PTR host.example.net.
        alias CNAME www
        far CNAME nowhere
        @ CAA 0 issue "letsencrypt.org; x=1"
        @ CAA 128 iodef "mailto:a@b.test"
        naptr NAPTR 100 10 "U" "E2U+sip" "!^(.*)$!sip:\\1@example.com!" .
        naptr NAPTR 100 20 "S" "SIP+D2U" "" _sip._udp
        od\.d\032name\@x.y A 192.0.2.9
        odd CNAME a\.b\032c\@\$\(.example.net.
        other TYPE65400 \# 3 0001AB
        """## + "\n" + (0..<400).map { "many A 10.1.\($0 / 200).\($0 % 200)" }.joined(separator: "\n") + "\n"

    /// nsd on a free port, with its files in a directory of its own; ended when this goes.
    private final class NSD {
        let address: SocketAddress
        private let directory = try? TemporaryDirectory()
        private let process = Process()

        init() throws {
            let path = try #require(directory).path
            try #require(directory).write(NameTests.zone, to: "zone")
            // Free for UDP a moment ago; if TCP's port is not, the first question will say so.
            let port = try #require(TestDatagramClient(.loopback(port: 9)).localAddress.port)
            address = .loopback(port: port)
            try #require(directory).write(
                """
                server:
                  ip-address: 127.0.0.1@\(port)
                  username: ""
                  chroot: ""
                  zonesdir: "\(path)"
                  database: ""
                  pidfile: "\(path)/pid"
                  xfrdfile: "\(path)/xfrd"
                  zonelistfile: "\(path)/list"
                  xfrdir: "\(path)"
                  server-count: 1
                  rrl-ratelimit: 0
                remote-control:
                  control-enable: no
                zone:
                  name: "interop.test"
                  zonefile: "zone"
                """, to: "nsd.conf")
            // The tests' threads block signals, and a child inherits that; nsd would not hear when to end.
            let start = "import os, signal, sys; signal.pthread_sigmask(signal.SIG_SETMASK, []); os.execv(sys.argv[1], sys.argv[1:])"
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["python3", "-c", start, "/usr/sbin/nsd", "-d", "-c", path + "/nsd.conf"]
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            for _ in 0..<100 {
                if try dig("interop.test", "SOA").count == 1 { return }
                usleep(50_000)
            }
            Issue.record("nsd did not start")
        }

        deinit {
            process.terminate()
            process.waitUntilExit()
        }

        func dig(_ name: String, _ type: String) throws -> [String] {
            let port = String(address.port ?? 0)
            let result = try run("dig", ["+short", "+tries=1", "+time=1", "@127.0.0.1", "-p", port, name, type])
            return result.output.split(separator: "\n").filter { !$0.hasPrefix(";") }.map(String.init)
        }
    }

    private func options(_ server: NSD) -> ResolverOptions {
        var options = ResolverOptions(servers: [server.address])
        options.configurationFile = "/dev/null"
        options.hostsFile = nil
        options.searchDomains = []
        return options
    }

    /// The records' data, behind the name that an alias leads to, as dig +short prints both.
    private func lines(_ answer: Answer, for name: String) throws -> [String] {
        let aliases = try DomainName(parsing: name) == answer.canonicalName ? [] : ["\(answer.canonicalName)"]
        return aliases + answer.records.map { "\($0.data)" }
    }

    @Test func digPrintsTheSame() throws {
        let server = try NSD()
        let loop = try EventLoop()
        defer { loop.close() }
        let resolver = try Resolver(loop: loop, options: options(server))
        let blocking = try BlockingResolver(options: options(server))
        let questions = [
            ("www", "A", 2), ("WWW", "AAAA", 3), ("", "MX", 2), ("", "TXT", 1), ("_sip._udp", "SRV", 1), ("1.2.0.192", "PTR", 1),
            ("", "NS", 2), ("alias", "CNAME", 1), ("", "CAA", 2), ("", "SOA", 1), ("naptr", "NAPTR", 2), ("other", "TYPE65400", 1),
            ("odd", "CNAME", 1), ("alias", "A", 3), (#"od\.d\032name\@x.y"#, "A", 1), ("many", "A", 400),
        ]
        var answered = 0
        for (host, typeName, count) in questions {
            let name = host.isEmpty ? "interop.test" : host + ".interop.test"
            let type = try #require(RecordType(parsing: typeName))
            let expected = try server.dig(name, typeName)
            #expect(expected.count == count)
            #expect(try lines(blocking.lookUp(name, type), for: name).sorted() == expected.sorted())
            resolver.lookUp(name, type) { result in
                #expect((try? lines(result.get(), for: name).sorted()) == expected.sorted())
                answered += 1
                if answered == questions.count { loop.stop() }
            }
        }
        loop.after(.seconds(30)) { loop.stop() }
        loop.run()
        #expect(answered == questions.count)
    }

    @Test func whatIsNotThereIsSaid() throws {
        let server = try NSD()
        let resolver = try BlockingResolver(options: options(server))
        func error(_ name: String, _ type: RecordType) -> ResolutionError? {
            do throws(ResolutionError) {
                _ = try resolver.lookUp(name, type)
                return nil
            } catch { return error }
        }
        #expect(error("no.interop.test", .a) == .nameDoesNotExist(name: "no.interop.test", type: .a))
        #expect(error("far.interop.test", .a) == .nameDoesNotExist(name: "far.interop.test", type: .a))
        #expect(error("www.interop.test", .mx) == .noData(name: "www.interop.test", type: .mx))
        // It holds no such zone, and asks nobody.
        #expect(error("www.elsewhere.test", .a) == .refused(name: "www.elsewhere.test", type: .a))
        // The zone says how long that may be remembered.
        let queries = resolver.statistics.queries
        #expect(error("no.interop.test", .a) != nil && error("www.interop.test", .mx) != nil)
        #expect(resolver.statistics.queries == queries)
    }
}
