import ConnectionHandling
import Foundation
import Glibc
import TestSupport
import Testing

/// What goes wrong around a relay: its disk, its spool and its clock. Nothing that got its 250 is lost, and who runs it is
/// told in one line.
@Suite(.timeLimit(.minutes(40))) struct MailFaultTests {
    private let directory: TemporaryDirectory
    private let sink: MailSink
    private var spool: String { directory.path + "/spool" }

    init() throws {
        directory = try TemporaryDirectory()
        sink = try MailSink(path: directory.path + "/sink")
    }

    /// The reply to the content of a message of about so many bytes.
    private func offer(_ server: ServerProcess, _ subject: String, bytes: Int = 100) throws -> String {
        let client = try TestClient(server.addresses[0])
        let line = String(repeating: "x", count: 78) + "\r\n"
        for command in ["EHLO a", "MAIL FROM:<a@a.test>", "RCPT TO:<b@b.test>", "DATA"] { client.send(command + "\r\n") }
        client.send("Subject: \(subject)\r\n\r\n" + String(repeating: line, count: bytes / 80) + ".\r\nQUIT\r\n")
        return client.receiveToEnd().text.split(separator: "\r\n").dropLast().last.map(String.init) ?? ""
    }

    private func fill(_ server: ServerProcess, _ count: Int, bytes: Int = 100) throws -> Set<String> {
        for number in 0..<count {
            let reply = try offer(server, "\(number)", bytes: bytes)
            #expect(reply.hasPrefix("250 "), "\(reply)")
        }
        return Set((0..<count).map(String.init))
    }

    // MARK: The disk

    /// A disk of its own, of 32 MiB.
    private final class SmallDisk {
        let path: String
        init(_ path: String) throws {
            self.path = path
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            let result = try run("mount", ["-t", "tmpfs", "-o", "size=32m", "tmpfs", path])
            if result.status != 0 { throw ServerProcess.Failure(description: result.errors) }
        }
        deinit { _ = try? run("umount", ["--lazy", path]) }

        /// Makes a file of all that is left.
        func fill() throws {
            let file = open(path + "/filler", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            defer { close(file) }
            for block in [65_536, 4_096, 1] { while write(file, [UInt8](repeating: 1, count: block), block) > 0 {} }
            #expect(errno == ENOSPC)
        }
        func makeRoom() { unlink(path + "/filler") }
    }

    private static let mayMount: Bool = {
        guard getuid() == 0, let directory = try? TemporaryDirectory() else { return false }
        return (try? SmallDisk(directory.path + "/disk")) != nil
    }()

    @Test("a full disk", .enabled(if: mayMount, "this user may mount no tmpfs"), arguments: [150_000, 400_000])
    func aFullDiskDefersAndHeals(_ bytes: Int) throws {
        let disk = try SmallDisk(directory.path + "/disk")
        let spool = disk.path + "/spool"
        let server = try startRelay(spool, to: sink.address)
        var acknowledged: Set<String> = []
        var reply = ""
        for number in 0..<400 {
            reply = try offer(server, "\(number)", bytes: bytes)
            guard reply.hasPrefix("250 ") else { break }
            acknowledged.insert("\(number)")
        }
        #expect(reply.hasPrefix("452 4.3.1 ") && acknowledged.count > 10, "\(acknowledged.count), then \(reply)")
        #expect(try queued(spool).count == acknowledged.count)
        // To the brim: what is delivered now cannot be written down.
        try disk.fill()
        #expect(try offer(server, "refused").hasPrefix("452 4.3.1 "))
        try sink.comeUp()
        for _ in 0..<200 where sink.deliveries.isEmpty { usleep(50_000) }
        usleep(300_000)
        disk.makeRoom()
        #expect(try offer(server, "there is room").hasPrefix("250 "))
        acknowledged.insert("there is room")
        _ = sink.wait(for: acknowledged.count, seconds: 60)
        #expect(try waitUntilEmpty(spool))
        #expect(Set(sink.delivered) == acknowledged && sink.delivered.count == acknowledged.count, "none is lost, none comes twice")
        #expect(server.stop() == 0)
    }

    private static func traced(_ fault: String) -> [String] {
        let call = fault.prefix { $0 != ":" }
        return ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(call)", "-e", "inject=\(fault)"]
    }

    private static let mayTrace = (try? run("env", traced("fsync:error=EIO") + ["true"]))?.status == 0

    /// Every so often a call for the spool fails, of those that take messages and those that write outcomes down alike.
    @Test("a disk that fails", .enabled(if: mayTrace, "strace is missing, or may not be used"), arguments: [
        ("fdatasync:error=EIO:when=15+9", "451 4.3.0 "), ("pwrite64:error=EIO:when=200+151", "451 4.3.0 "),
        ("pwrite64:error=ENOSPC:when=200+151", "452 4.3.1 "),
    ])
    func callsThatFail(_ fault: String, _ refusal: String) throws {
        try sink.comeUp()
        let server = try startRelay(spool, to: sink.address, under: Self.traced(fault))
        var acknowledged: Set<String> = []
        var refused = 0
        for number in 0..<1_000 where refused < 4 || acknowledged.count < 40 {
            let reply = try offer(server, "\(number)")
            if reply.hasPrefix("250 ") { acknowledged.insert("\(number)") } else { refused += 1 }
            #expect(reply.hasPrefix("250 ") || reply.hasPrefix(refusal), "\(reply)")
        }
        #expect(refused >= 4 && acknowledged.count >= 40)
        #expect(eventually { acknowledged.isSubset(of: sink.delivered) }, "\(acknowledged.subtracting(sink.delivered))")
        #expect(try waitUntilEmpty(spool))
        #expect(server.stop() == 0)
        #expect(Set(sink.delivered).count == sink.delivered.count, "none comes twice")
    }

    // MARK: The spool

    private func expectRefused(mentions: String) throws {
        let result = try reactor("serve", "smtp", "--listen", "127.0.0.1:0", "--spool", spool, "--next-hop", sink.address.description)
        #expect(result.status == 1 && result.errors.hasPrefix("reactor: ") && result.errors.contains(mentions), "\(result)")
        #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    }

    private func killed(_ server: ServerProcess) {
        server.signal(SIGKILL)
        #expect(server.waitForExit() != nil)
    }

    /// A log that lost its end, as after a disk that lied: what is left of it is delivered.
    @Test(arguments: [0.0, 0.1, 0.5, 0.9, 0.999, 1]) func aTornLog(_ kept: Double) throws {
        let server = try startRelay(spool, to: sink.address)
        let acknowledged = try fill(server, 30)
        killed(server)
        let log = spool + "/spool.db-wal"
        let size = try #require(try FileManager.default.attributesOfItem(atPath: log)[.size] as? Int)
        #expect(truncate(log, Int(Double(size) * kept)) == 0)
        try sink.comeUp()
        // Nothing but the log had them, so a log of nothing is a new spool; in between, those at its start are there.
        let again = try startRelay(spool, to: sink.address)
        #expect(try offer(again, "later").hasPrefix("250 "))
        for _ in 0..<500 where !sink.delivered.contains("later") { usleep(20_000) }
        #expect(try waitUntilEmpty(spool))
        let delivered = Set(sink.delivered).subtracting(["later"])
        #expect(delivered == Set((0..<delivered.count).map(String.init)), "the first ones, without a gap")
        if kept == 1 { #expect(delivered == acknowledged) }
        #expect(kept < 0.5 || delivered.count > 5 || size < 100_000)
        #expect(again.stop() == 0)
    }

    @Test(arguments: ["header", "cut", "emptied", "another's"]) func aDatabaseThatIsNone(_ damage: String) throws {
        let server = try startRelay(spool, to: sink.address)
        _ = try fill(server, 5)
        killed(server)
        let database = spool + "/spool.db"
        // All of it is in the log, too, which would mend it, but for an empty database.
        let checkpoint = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('pragma wal_checkpoint(truncate)')"
        if damage != "emptied" { #expect(try python(checkpoint, database).status == 0) }
        let content = try Data(contentsOf: URL(filePath: database))
        var mentions = "spool"
        switch damage {
        case "header": try Data((0..<content.count).map { _ in UInt8.random(in: 0...255) }).write(to: URL(filePath: database))
        case "cut": #expect(truncate(database, off_t(content.count / 8_192 * 4_096)) == 0)
        case "emptied":
            #expect(truncate(database, 0) == 0)
            mentions = "has lost its database"
        default:
            unlink(database)
            for end in ["-wal", "-shm"] { unlink(database + end) }
            #expect(try python("import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('create table theirs (x)')", database).status == 0)
            mentions = "is no spool"
        }
        let before = try Data(contentsOf: URL(filePath: database))
        try expectRefused(mentions: mentions)
        #expect(try Data(contentsOf: URL(filePath: database)) == before, "nothing is changed for who repairs it")
    }

    /// A content's file that is cut is set aside, and shown; the others go on.
    @Test func aTornContent() throws {
        let server = try startRelay(spool, to: sink.address)
        _ = try fill(server, 3, bytes: 400_000)
        killed(server)
        let files = try FileManager.default.contentsOfDirectory(atPath: spool + "/content")
        #expect(files.count == 3)
        #expect(truncate(spool + "/content/" + files[0], 1_000) == 0)
        try sink.comeUp()
        let again = try startRelay(spool, to: sink.address)
        #expect(sink.wait(for: 2).count == 2)
        #expect(try eventually { try queued(spool).map { $0["state"] as? String } == ["quarantined"] })
        #expect(try offer(again, "later").hasPrefix("250 "))
        #expect(sink.wait(for: 3).contains("later"))
        #expect(again.stop() == 0)
    }

    // MARK: The clock

    /// The clock was wrong, by years, while messages were taken and put off; now it is right.
    @Test(arguments: [3_650, -3_650, 2, -2]) func theClockWasWrong(_ days: Int) throws {
        let server = try startRelay(spool, to: sink.address)
        let acknowledged = try fill(server, 5)
        killed(server)
        let shift = """
            import sqlite3, sys
            with sqlite3.connect(sys.argv[1]) as database:
                database.execute("update message set received = received + ?", [int(sys.argv[2])])
                database.execute("update recipient set next_attempt = next_attempt + ?", [int(sys.argv[2])])
            """
        #expect(try python(shift, spool + "/spool.db", "\(days * 86_400)").status == 0)
        try sink.comeUp()
        let again = try startRelay(spool, to: sink.address)
        #expect(Set(sink.wait(for: 5)) == acknowledged && sink.delivered.count == 5)
        #expect(try waitUntilEmpty(spool))
        #expect(again.stop() == 0)
    }
}
