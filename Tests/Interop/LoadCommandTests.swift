import ConnectionHandling
import Foundation
import Glibc
import TestSupport
import Testing

/// `reactor load` as people and scripts use it, against `reactor serve` and beside wrk.
@Suite(.timeLimit(.minutes(15)), .serialized) struct LoadCommandTests {
    private func report(_ arguments: [String]) throws -> (status: Int32, report: [String: Any], errors: String) {
        let result = try run(ServerProcess.executable("reactor").path, ["load"] + arguments + ["--json"])
        let object = try? JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
        return (result.status, try #require(object ?? nil, "\(arguments): \(result.output) \(result.errors)"), result.errors)
    }

    /// Vouched for or not: the machine may be busy.
    private func expectAnswers(_ arguments: [String]) throws -> [String: Any] {
        let (status, report, errors) = try report(arguments + ["--duration", "0.5", "--warm-up", "0", "--connections", "4"])
        #expect(report["requests"] as? Int ?? 0 > 0, "\(arguments)")
        #expect((report["errors"] as? [String: Int])?.values.reduce(0, +) == 0, "\(arguments): \(report)")
        let isVouched = report["vouched"] as? Bool == true
        #expect(status == (isVouched ? 0 : 3))
        #expect(isVouched == errors.isEmpty, "\(errors)")
        #expect(errors.split(separator: "\n").allSatisfy { $0.hasPrefix("reactor: not vouched for: ") })
        return report
    }

    @Test func everySchemeOfTheReadyLines() throws {
        let directory = try TemporaryDirectory()
        let web = try ServerProcess("reactor", ["serve", "http", "--listen", "127.0.0.1:0", "--listen", "unix:\(directory.path)/s"], listeners: 2)
        _ = try expectAnswers(["http://\(web.addresses[0])/plaintext"])
        _ = try expectAnswers(["http://\(web.addresses[0])/plaintext", "--reconnect", "--rate", "50"])
        _ = try expectAnswers(["http://\(web.addresses[0])/echo", "--body", "hello", "--header", "Content-Type: text/plain", "--pipeline", "4"])
        _ = try expectAnswers(["http://unix:\(directory.path)/s", "--path", "/json", "--rate", "20..60", "--arrivals", "poisson"])
        let secure = try ServerProcess("reactor", ["serve", "http", "--listen", "127.0.0.1:0", "--tls-self-signed"])
        _ = try expectAnswers(["https://\(secure.addresses[0])/plaintext", "--insecure"])
        let rpc = try ServerProcess("reactor", ["serve", "rpc", "--listen", "127.0.0.1:0"])
        _ = try expectAnswers(["rpc+http://\(rpc.addresses[0])"])
        _ = try expectAnswers(["rpc+http://\(rpc.addresses[0])", "--call", "add", "--params", "[1,2]"])
        let echo = try ServerProcess("reactor", ["serve", "echo", "--listen", "127.0.0.1:0"])
        _ = try expectAnswers(["echo://\(echo.addresses[0])", "--idle", "10", "--size", "1000"])
        for server in [web, secure, rpc, echo] { #expect(server.stop() == 0) }
    }

    @Test func aRelayTakesTheMessages() throws {
        let directory = try TemporaryDirectory()
        let relay = try ServerProcess(
            "reactor",
            ["serve", "smtp", "--listen", "127.0.0.1:0", "--spool", directory.path + "/spool", "--next-hop", "127.0.0.1:25926"])
        let report = try expectAnswers(["smtp://\(relay.addresses[0])", "--size", "500"])
        // Each was answered once it was kept, and nobody takes them from there.
        let stats = try reactor("queue", "list", "--spool", directory.path + "/spool", "--json")
        let queued = stats.output.split(separator: "\n").count { $0.contains("load@example.invalid") }
        #expect(queued >= report["requests"] as? Int ?? .max, "\(stats.output.prefix(300))")
        _ = relay.stop()
    }

    /// The same server, one after the other. The machine is busy, so only the order of the numbers is compared; the
    /// benchmarks compare them closely.
    @Test func aClosedLoopIsAsFastAsWrk() throws {
        let server = try ServerProcess("reactor", ["serve", "http", "--listen", "127.0.0.1:0"])
        let url = "http://\(server.addresses[0])/plaintext"
        var ratios: [Double] = []
        for _ in 0..<4 {
            let wrk = try run("wrk", ["-t1", "-c64", "-d1", url])
            let line = try #require(wrk.output.split(separator: "\n").first { $0.hasPrefix("Requests/sec:") }, "\(wrk.errors)")
            let theirs = try #require(line.split(separator: " ").last.flatMap { Double($0) })
            let ours = try report([url, "--duration", "1", "--warm-up", "0"]).report["achieved_rate"] as? Double ?? 0
            #expect(theirs > 0 && ours > 0)
            ratios.append(ours / theirs)
            if ours >= 0.5 * theirs { break }
        }
        #expect(ratios.max() ?? 0 >= 0.5, "\(ratios)")
        #expect(server.stop() == 0)
    }

    @Test func theTextSaysWhatWasMeasured() throws {
        let server = try ServerProcess("reactor", ["serve", "http", "--listen", "127.0.0.1:0"])
        let result = try reactor("load", "http://\(server.addresses[0])/plaintext", "--rate", "100", "--duration", "0.5", "--warm-up", "0")
        for word in ["open loop", "offered", "answered", "latency", "p99.9", "fairness", "own CPU", "errors     none"] {
            #expect(result.output.contains(word), "\(word): \(result.output)")
        }
        // Nothing but the result, where nobody watches.
        #expect(!result.output.contains("\u{1B}") && !result.errors.contains("\u{1B}"))
        #expect(server.stop() == 0)
    }

    /// Ctrl-C: what there is, with the exit status that a shorter run would have.
    @Test func interruptsEndItEarly() throws {
        let server = try ServerProcess("reactor", ["serve", "http", "--listen", "127.0.0.1:0"])
        let result = try python(
            """
            import json, signal, subprocess, sys, time
            def start(*arguments):
                return subprocess.Popen([sys.argv[1], "load", sys.argv[2], "--duration", "600", "--json", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            measuring = start("--warm-up", "0")
            time.sleep(2)
            measuring.send_signal(signal.SIGINT)
            out, err = measuring.communicate(timeout=60)
            report = json.loads(out)
            assert report["interrupted"] and 0.1 < report["duration_seconds"] < 300, report
            assert measuring.returncode == (0 if report["vouched"] else 3), measuring.returncode
            early = start("--warm-up", "600")
            time.sleep(2)
            early.send_signal(signal.SIGINT)
            out, err = early.communicate(timeout=60)
            assert (early.returncode, out) == (130, b""), (early.returncode, out)
            assert err.count(b"\\n") == 1 and err.startswith(b"reactor: "), err
            print("done")
            """, ServerProcess.executable("reactor").path, "http://\(server.addresses[0])/plaintext")
        #expect(result.output == "done\n", "\(result.errors)")
        #expect(server.stop() == 0)
    }

    @Test func failuresAreOneLine() throws {
        let gone = try ServerProcess("reactor", ["serve", "http", "--listen", "127.0.0.1:0"])
        let address = gone.addresses[0]
        gone.stop()
        for more in [[], ["--json"]] as [[String]] {
            let result = try run(ServerProcess.executable("reactor").path, ["load", "http://\(address)/"] + more)
            #expect(result.status == 1)
            #expect(result.output == "")
            #expect(result.errors.hasPrefix("reactor: cannot connect to http://\(address)/: Connection refused"), "\(result.errors)")
            #expect(result.errors.split(separator: "\n").count == 1)
        }
        // Answered, but never as it should be: a report, and exit status 1.
        let server = try ServerProcess("reactor", ["serve", "http", "--listen", "127.0.0.1:0"])
        let (status, report, errors) = try report(["http://\(server.addresses[0])/missing", "--duration", "0.3", "--warm-up", "0"])
        #expect(status == 1)
        #expect((report["errors"] as? [String: Int])?["status"] ?? 0 > 0)
        #expect(errors.contains("no request was answered: status 404"), "\(errors)")
        #expect(server.stop() == 0)
    }

    @Test(arguments: [
        ["127.0.0.1:8080"], ["ftp://127.0.0.1/"], ["http://127.0.0.1:1/", "--rate", "fast"], ["http://127.0.0.1:1/", "--rate", "0"],
        ["http://127.0.0.1:1/", "--rate", "1..2..3"], ["http://127.0.0.1:1/", "--connections", "0"], ["http://127.0.0.1:1/", "--connections", "x"],
        ["http://127.0.0.1:1/", "--duration", "-1"], ["http://127.0.0.1:1/", "--duration", "inf"], ["http://127.0.0.1:1/", "--pipeline", "0"],
        ["http://127.0.0.1:1/", "--header", "nocolon"], ["http://127.0.0.1:1/", "--size", "5"], ["http://127.0.0.1:1/", "--body", "@/nonexistent"],
        ["http://127.0.0.1:1/", "--insecure"], ["https://127.0.0.1:1/", "--tls-ca", "/nonexistent"], ["http://127.0.0.1:1/", "--arrivals", "poisson"],
        ["http://127.0.0.1:1/", "--arrivals", "never", "--rate", "5"], ["echo://127.0.0.1:1", "--body", "x"], ["rpc+http://127.0.0.1:1", "--params", "{"],
        ["smtp://127.0.0.1:1", "--mail-to", "a b"], ["http://127.0.0.1:1/", "--reconnect", "--pipeline", "2"], [],
    ]) func mistakesAreOneLine(_ arguments: [String]) throws {
        let result = try run(ServerProcess.executable("reactor").path, ["load"] + arguments, seconds: 20)
        #expect(result.status == 64, "\(arguments): \(result.errors)")
        #expect(result.output == "")
        #expect(result.errors.hasPrefix("reactor: ") && result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    }

    @Test func helpTeaches() throws {
        let result = try reactor("load", "--help")
        #expect(result.status == 0 && result.errors == "")
        for word in ["USAGE:", "--rate", "Exit status", "Try it:", "closed", "taskset"] { #expect(result.output.contains(word), "\(word)") }
    }
}
