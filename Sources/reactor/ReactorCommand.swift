import ArgumentParser
import CReactorSystem
import Glibc
import Reactor

@main
struct ReactorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reactor",
        abstract: "Sample servers on the swift-reactor event loop, under the architecture of your choice.",
        discussion: """
            One protocol handler, unchanged, is served by event loops, by threads or by forked processes:

              reactor serve http --listen 127.0.0.1:8080
              reactor serve http --listen 127.0.0.1:8080 --architecture prefork
              reactor serve demo

            Every server prints a line for each address once it is ready, and stops on SIGTERM or Ctrl-C after
            letting what is in flight end.
            """,
        version: "0.1.0",
        subcommands: [Serve.self, LoadCommand.self, Resolve.self, Queue.self, Mail.self])

    static func main() {
        // A peer that goes away is reported by the write, not by a signal that ends the process.
        signal(SIGPIPE, SIG_IGN)
        _ = creactor_raise_descriptor_limit()
        // Else every line of a log has the C library ask whether the time zone's file has changed.
        setenv("TZ", ":/etc/localtime", 0)
        LogLineFormat.bootstrap()
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            end(with: error)
        }
    }

    /// Help goes to stdout; an error is one line on stderr that says what to do.
    private static func end(with error: any Error) -> Never {
        // Whoever throws a status has said what there was to say.
        if let status = error as? ExitCode { Glibc.exit(status.rawValue) }
        let status = exitCode(for: error)
        if status.isSuccess {
            print(fullMessage(for: error))
        } else {
            let text = message(for: error) + hint(for: error)
            printError("reactor: " + inOneLine(text))
        }
        Glibc.exit(status.rawValue)
    }

    /// A list of choices comes one a line, each behind a dash.
    private static func inOneLine(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " } }
        return lines.reduce(into: "") { result, line in
            let isChoice = line.hasPrefix("- ")
            if !result.isEmpty { result += isChoice && !result.hasSuffix(":") ? ", " : " " }
            result += isChoice ? line.dropFirst(2) : line
        }
    }

    private static func hint(for error: any Error) -> String {
        guard let error = error as? SystemError else { return "" }
        if error.operation.hasPrefix("make an event loop on") {
            return " (the kernel or its settings refuse it: choose epoll, poll or select)"
        }
        let isUnix = error.operation.hasPrefix("listen on unix:")
        switch error.errno {
        case EADDRINUSE where isUnix: return " (choose another path, or remove this one if no server uses it)"
        case EACCES where isUnix: return " (choose a path in a directory that can be written to)"
        case EADDRINUSE: return " (choose another port, or port 0 for a free one)"
        case EACCES: return " (ports below 1024 need privileges: choose a higher one)"
        case EADDRNOTAVAIL: return " (no interface of this machine has that address: choose another)"
        default: return ""
        }
    }
}

func printError(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
