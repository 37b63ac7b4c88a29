import Testing

@testable import BenchmarkHarness

@Suite struct ProcFilesTests {
    @Test(arguments: ["reactor", "a b", "x) R 9 (y", "()", ""])
    func statSurvivesAnyProgramName(name: String) throws {
        let text = "4711 (\(name)) S 12 4711 4711 0 -1 4194560 95 2 0 0 150 250 7 30 20 0 1 0 1234 99 5"
        let stat = try #require(ProcessStat(text))
        #expect(stat.id == 4711)
        #expect(stat.parent == 12)
        #expect(stat.state == "S")
        #expect(stat.reapedUserTicks == 7 && stat.reapedSystemTicks == 30)
    }

    @Test(arguments: ["", "4711", "4711 (name", "4711 (name) S 12", "x (name) S 12 1 1 0 -1 4 9 2 0 0 1 2 7 30 20"])
    func notAStat(text: String) {
        #expect(ProcessStat(text) == nil)
    }

    @Test func memory() throws {
        let text = """
            562253b94000-7fff267f9000 ---p 00000000 00:00 0                          [rollup]
            Rss:                1596 kB
            Pss:                 443 kB
            Pss_Dirty:           116 kB
            Pss_Anon:            116 kB
            Pss_File:            324 kB
            Pss_Shmem:             3 kB
            """
        let size = try #require(ProportionalSetSize(text))
        #expect(size.total == 443 * 1024)
        #expect(size.withoutFiles == 119 * 1024)
        #expect(ProportionalSetSize("Rss: 12 kB\nPss: 3 kB") == nil)
        #expect(ProportionalSetSize("") == nil)
    }

    @Test func memoryPerConnectionIsTheGrowth() throws {
        let before = try #require(ProportionalSetSize("Pss: 500 kB\nPss_Anon: 100 kB\nPss_Shmem: 0 kB"))
        let after = try #require(ProportionalSetSize("Pss: 400 kB\nPss_Anon: 164 kB\nPss_Shmem: 0 kB"))
        let sample = Sample.memory(atRest: before, loaded: after, connections: 64)
        #expect(sample[.memoryPerConnection] == 1024)
        #expect(sample[.memoryAtRest] == 512_000)
    }

    static let tcp = """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
           0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0 100 0 0 10 0
           1: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 101 1 0 20 4 30 10 -1
           2: 0100007F:1F90 0100007F:C002 01 00000000:0000002C 00:00000000 00000000     0        0 102 1 0 20 4 30 10 -1
           3: 0100007F:1F90 0100007F:C003 01 00000000:0000002C 00:00000000 00000000     0        0 0 1 0 20 4 30 10 -1
           4: 0100007F:1F90 0100007F:C004 01 00000000:00000000 00:00000000 00000000     0        0 0 1 0 20 4 30 10 -1
           5: 0100007F:1F90 0100007F:C005 08 00000000:00000000 00:00000000 00000000     0        0 103 1 0 20 4 30 10 -1
           6: 0100007F:1F90 0100007F:C006 06 00000000:00000000 03:00000C8E 00000000     0        0 0 3 0
           7: 0100007F:C001 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 104 1 0 20 4 30 10 -1
           8: 0100007F:1F91 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 105 1 0 20 4 30 10 -1
        """

    /// Neither the listener, nor the clients' ends, nor another port, nor what is in TIME_WAIT counts as open; what is
    /// not accepted or not read is open but not served.
    @Test func serverSockets() {
        let sockets = ServerSockets(Self.tcp, port: 8080)
        #expect(sockets.open == 5)
        #expect(sockets.caughtUp == 2)
        #expect(ServerSockets(Self.tcp, port: 1) == ServerSockets("", port: 1))
        #expect(ServerSockets("", port: 1).open == 0)
    }

    @Test(arguments: [
        ("listening on http://127.0.0.1:8080\n", 8080), ("hello\nlistening on http://127.0.0.1:1\n", 1),
        ("listening on echo://127.0.0.1:7007\n", 7007), ("listening on echo://udp:127.0.0.1:9\n", 9),
    ])
    func announcedPort(text: String, port: UInt16) {
        #expect(ServerProcess.announcedPort(in: text) == port)
    }

    /// A line that isn't finished yet may lack digits.
    @Test(arguments: ["", "listening on http://127.0.0.1:80", "listening on http://127.0.0.1:99999\n", "port: 80\n"])
    func noPortYet(text: String) {
        #expect(ServerProcess.announcedPort(in: text) == nil)
    }

    @Test func switches() {
        let switches = ThreadSwitches("Name:\tx\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\n")
        #expect(switches.voluntary == 12 && switches.involuntary == 3)
        #expect(ThreadSwitches("") == ThreadSwitches("voluntary_ctxt_switches: x"))
    }

    /// The whole of a request is exact; the kernel's proportion of the server's life shares it out.
    @Test func cpuTimeIsSharedOut() {
        var sample: Sample = [:]
        sample[.cpuPerRequest] = Sample.cpu(from: 1_000_000, to: 9_000_000, requests: 1000)
        #expect(sample[.cpuPerRequest] == 8)
        var before = ResourceUse()
        before.voluntary = 100
        let used = ResourceUse(user: 30_000_000, system: 10_000_000, voluntary: 2100, involuntary: 50)
        sample.shareOut(used, since: before, requests: 2000)
        #expect(sample[.userPerRequest] == 6 && sample[.systemPerRequest] == 2)
        #expect(sample[.voluntarySwitches] == 1 && sample[.involuntarySwitches] == 0.025)
        // A child that nobody reaped took its time with it.
        #expect(Sample.cpu(from: 2, to: 1, requests: 1) == nil && Sample.cpu(from: 1, to: 2, requests: 0) == nil)
        var nothing: Sample = [.cpuPerRequest: 8]
        nothing.shareOut(ResourceUse(), since: ResourceUse(), requests: 10)
        #expect(nothing[.userPerRequest] == nil && nothing[.cpuPerRequest] == 8)
    }

    @Test func listeners() {
        let table = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
               1: 0100007F:1F90 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
               2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
            """
        #expect(listeningInodes(table, port: 8080) == ["4711"])
        #expect(listeningInodes("", port: 8080) == [])
    }
}
