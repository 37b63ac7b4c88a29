import Dispatch
import Foundation
import ReactorMailQueue
import ReactorSMTP
import Synchronization
import TestSupport
import Testing

/// `reactor queue`, on spools that are made here. What it prints, and its exit statuses, are a contract.
@Suite(.timeLimit(.minutes(40))) struct QueueCommandTests {
    private let directory: TemporaryDirectory
    private var path: String { directory.path + "/spool" }

    init() throws { directory = try TemporaryDirectory() }

    private func store(_ id: String, from sender: String = "a@a.test", to recipients: String..., ago: Int64 = 0, content: String = "Subject: x\r\n\r\nbody\r\n") throws {
        let received = Int64(Date.now.timeIntervalSince1970) - ago
        let envelope = Envelope(id: QueueID(text: id), sender: sender, recipients: recipients.map { .init($0) }, received: received)
        let failure = Mutex<MessageStoreError?>(nil)
        let done = DispatchSemaphore(value: 0)
        try Spool(directory: path).commit(envelope, .bytes(Array(content.utf8))) { result in
            if case .failure(let error) = result { failure.withLock { $0 = error } }
            done.signal()
        }
        done.wait()
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private func queue(_ arguments: String...) throws -> CommandResult {
        try run(ServerProcess.executable("reactor").path, ["queue", arguments[0], "--spool", path] + arguments.dropFirst())
    }

    private func json(_ result: CommandResult) throws -> Any {
        #expect(result.status == 0 && result.errors == "", "\(result.errors)")
        return try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    }

    private func ids(_ arguments: String...) throws -> [String] {
        let result = try run(ServerProcess.executable("reactor").path, ["queue", "list", "--spool", path, "--json"] + arguments)
        return try #require(try json(result) as? [NSDictionary]).compactMap { $0["id"] as? String }
    }

    private func expectOneLine(_ result: CommandResult, mentions: String, status: Int32) {
        #expect(result.status == status && result.errors.hasPrefix("reactor: "), "\(result)")
        #expect(result.errors.split(separator: "\n").count == 1 && result.errors.contains(mentions), "\(result.errors)")
    }

    @Test func lists() throws {
        _ = try Spool(directory: path)
        #expect(try queue("list").output == "nothing waits in \(path)\n")
        #expect(try queue("list", "--json").output == "[]\n")
        try store("ONE", to: "b@b.test", "c@c.test", ago: 7_200)
        try store("TWO", from: "", to: "b@b.test")
        #expect(try ids() == ["ONE", "TWO"])
        #expect(try ids("--sender", "") == ["TWO"] && ids("--sender=*@A.test") == ["ONE"])
        #expect(try ids("--recipient", "c@*") == ["ONE"] && ids("--domain", "b.test") == ["ONE", "TWO"])
        #expect(try ids("--older-than", "1h") == ["ONE"] && ids("--older-than", "3h") == [])
        #expect(try ids("--state", "held", "--state", "waiting") == ["ONE", "TWO"] && ids("--state", "held") == [])
        #expect(try ids("--reason", "full") == [])
        #expect(try queue("list", "--domain", "nowhere.test").output == "nothing in \(path) matches\n")
        let lines = try queue("list").output.split(separator: "\n")
        #expect(lines.count == 5 && lines[0].hasPrefix("ONE  ") && lines[0].hasSuffix("20 bytes  from a@a.test  waiting"))
        #expect(lines[1] == "    to b@b.test  waiting" && lines[3].contains("from <>"))
        let first = try #require(try (json(queue("list", "--json")) as? [NSDictionary])?.first)
        for key in ["id", "state", "sender", "recipients", "size", "received", "attempts", "next_attempt", "last_error"] {
            #expect(first[key] != nil, "\(key) is part of the contract")
        }
    }

    @Test func shows() throws {
        try store("ONE", to: "b@b.test", content: "Subject: \u{1B}[31mred\r\n\r\nbody \u{202E}\r\n")
        let shown = try queue("show", "ONE").output
        #expect(shown.contains("to b@b.test  waiting") && shown.contains("Subject: \\u{1b}[31mred") && !shown.contains("body"))
        #expect(try queue("show", "ONE", "--content").output == "Subject: \\u{1b}[31mred\n\nbody \\u{202e}\n")
        #expect(try queue("show", "ONE", "--raw").output == "Subject: \u{1B}[31mred\r\n\r\nbody \u{202E}\r\n")
        let object = try #require(try json(queue("show", "ONE", "--json")) as? NSDictionary)
        #expect(object["header"] as? String == "Subject: \u{1B}[31mred" && object["body"] as? String == "7BIT")
        expectOneLine(try queue("show", "NONE"), mentions: "no message 'NONE'", status: 1)
        expectOneLine(try queue("show", "\u{1B}[2J"), mentions: "no message '\\u{1b}[2J'", status: 1)
        expectOneLine(try queue("show", "ONE", "--json", "--raw"), mentions: "--raw", status: 64)
    }

    /// Pieces are cut between characters.
    @Test func largeContents() throws {
        let content = "Subject: x\r\n\r\n" + String(repeating: "é日\u{1F600}", count: 100_000)
        try store("ONE", to: "b@b.test", content: content)
        #expect(try queue("show", "ONE", "--content").output == content.replacing("\r\n", with: "\n"))
        #expect(try queue("show", "ONE", "--raw").output == content)
    }

    @Test func textFromPeersIsHarmless() throws {
        try store("ONE", from: "\u{1B}]0;x\u{7}@a.test", to: "\u{9B}2J\r\n@b.test")
        for result in [try queue("list"), try queue("list", "--json"), try queue("show", "ONE"), try queue("stats")] {
            #expect(result.status == 0)
            #expect(result.output.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control }, "\(result.output)")
        }
    }

    @Test func changes() throws {
        for id in ["ONE", "TWO", "THREE"] { try store(id, to: "b@\(id.lowercased()).test") }
        #expect(try queue("hold", "ONE", "TWO").output == "2 messages held\n")
        #expect(try ids("--state", "held") == ["ONE", "TWO"])
        #expect(try queue("hold", "ONE").output == "0 messages held\n")
        #expect(try queue("release", "--domain", "one.test", "--json").output == #"{"released":1}"# + "\n")
        #expect(try queue("retry", "--all").output == "2 messages due\n")
        let missing = try queue("delete", "ONE", "NONE")
        expectOneLine(missing, mentions: "no message 'NONE'", status: 1)
        #expect(missing.output == "1 message deleted\n")
        #expect(try ids() == ["TWO", "THREE"])
        #expect(try queue("delete", "--all").output == "2 messages deleted\n")
        #expect(try ids() == [])
    }

    @Test func whatIsMeantMustBeSaid() throws {
        try store("ONE", to: "b@b.test")
        for command in ["retry", "hold", "release", "delete"] {
            expectOneLine(try queue(command), mentions: "--all", status: 64)
            expectOneLine(try queue(command, "--all", "ONE"), mentions: "only one of them", status: 64)
            expectOneLine(try queue(command, "--domain", "b.test", "ONE"), mentions: "only one of them", status: 64)
        }
        expectOneLine(try queue("list", "--older-than", "1y"), mentions: "--older-than", status: 64)
        expectOneLine(try queue("list", "--older-than", "999999999999999999d"), mentions: "--older-than", status: 64)
        expectOneLine(try queue("list", "--state", "lost"), mentions: "quarantined", status: 64)
        #expect(try ids() == ["ONE"])
        for command in [["list"], ["show", "X"], ["retry", "--all"], ["stats"]] {
            let result = try run(ServerProcess.executable("reactor").path, ["queue", command[0], "--spool", "/nonexistent/spool"] + command.dropFirst())
            expectOneLine(result, mentions: "/nonexistent/spool", status: 1)
        }
        for command in ["list", "show", "retry", "hold", "release", "delete", "stats"] {
            #expect(try run(ServerProcess.executable("reactor").path, ["queue", command, "--help"]).output.contains("USAGE:"))
        }
    }

    @Test func statistics() throws {
        try store("ONE", to: "b@b.test", "c@c.test", ago: 7 * 60)
        try store("TWO", to: "c@c.test")
        let lines = try queue("stats").output.split(separator: "\n")
        #expect(lines.first == "2 messages, 40 bytes: 2 waiting, 0 held, 0 failed, 0 quarantined")
        #expect(lines.count == 5 && lines[3].split(separator: " ").prefix(4) == ["c.test", "2", "1", "1"])
        #expect(try queue("stats", "--top", "1").output.split(separator: "\n").count == 4)
        let object = try #require(try json(queue("stats", "--json")) as? NSDictionary)
        #expect(object["messages"] as? Int == 2 && (object["states"] as? [String: Int])?["waiting"] == 2)
        expectOneLine(try queue("stats", "--top", "0"), mentions: "--top", status: 64)
    }
}
