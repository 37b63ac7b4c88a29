import Foundation
import TestSupport
import Testing

/// Where `reactor serve smtp` has its settings from, and what `--check` says of them.
@Suite(.timeLimit(.minutes(40))) struct RelaySettingTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// - Parameter environment: `NAME=VALUE`.
    private func check(_ arguments: [String], _ environment: [String] = []) throws -> CommandResult {
        let all = environment + [ServerProcess.executable("reactor").path, "serve", "smtp", "--check", "--listen", "127.0.0.1:0"] + arguments
        return try run("env", all)
    }

    private func file(_ text: String) throws -> [String] {
        try directory.write(text, to: "relay.json")
        return ["--config", directory.path + "/relay.json"]
    }

    private static let text = #"{"spool": "/tmp/of-file", "hostname": "file.test", "relay-domain": ["file.test", ".file.test"], "submission": true}"#

    @Test func aFlagComesBeforeTheEnvironmentBeforeTheFile() throws {
        let config = try file(Self.text)
        let alone = try check(config)
        #expect(alone.status == 0 && alone.output.contains("hostname     file.test\nspool        /tmp/of-file\n"), "\(alone)")
        #expect(alone.output.contains("takes for    .file.test, file.test, from anybody\n") && alone.output.contains("--submission"))
        let environment = ["REACTOR_SMTP_HOSTNAME=env.test", "REACTOR_SMTP_RELAY_DOMAIN=one.test,two.test", "REACTOR_SMTP_SUBMISSION=no"]
        let over = try check(config, environment)
        #expect(over.output.contains("hostname     env.test\nspool        /tmp/of-file\n"), "\(over)")
        #expect(over.output.contains("takes for    one.test, two.test, from anybody\n") && !over.output.contains("--submission"))
        let flags = try check(config + ["--hostname", "flag.test", "--relay-domain", "flag.test"], environment)
        #expect(flags.output.contains("hostname     flag.test\n") && flags.output.contains("takes for    flag.test, from anybody\n"), "\(flags)")
    }

    @Test("settings that are none", arguments: [
        (#"{"spool": "/tmp/x", "relay-domains": ["a.test"]}"#, "there is no setting \"relay-domains\""),
        (#"{"spool": "/tmp/x", "max-size": "much"}"#, "--max-size must be from 1024"),
        (#"{"spool": "/tmp/x", "allow": ["10.0.0.0/33"]}"#, "'10.0.0.0/33' will not do for --allow"),
        (#"{"spool": ["/tmp/x"]}"#, "\"spool\" wants one text"), (#"{"hostname": "a.test"}"#, "give --spool"), ("{", "cannot read the configuration"),
    ])
    func wrong(_ text: String, _ said: String) throws {
        let result = try check(file(text))
        #expect(result.status == 78 && result.output.isEmpty, "\(result)")
        #expect(result.errors.hasPrefix("reactor: ") && result.errors.contains(said) && result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    }

    @Test func allThatIsWrongIsSaidAtOnce() throws {
        let result = try check(["--spool", "/tmp/x", "--allow", "x", "--max-size", "1"], ["REACTOR_SMTP_ROUTE=a.test"])
        #expect(result.status == 78 && result.errors.split(separator: "\n").count == 3, "\(result.errors)")
    }

    /// What would only be found when the relay is started.
    @Test func theSpoolIsLookedAt() throws {
        let none = try check(["--spool", directory.path + "/not/there"])
        #expect(none.status == 78 && none.errors.contains("cannot be made"), "\(none)")
        #expect(try check(["--spool", directory.path + "/new/"]).status == 0)
        #expect(!FileManager.default.fileExists(atPath: directory.path + "/new"), "nothing is made")
        try FileManager.default.createDirectory(atPath: directory.path + "/other", withIntermediateDirectories: false)
        try directory.write("no database, but a text that is long enough to be one", to: "other/spool.db")
        let other = try check(["--spool", directory.path + "/other"])
        #expect(other.status == 78 && other.errors.split(separator: "\n").count == 1, "\(other)")
    }
}
