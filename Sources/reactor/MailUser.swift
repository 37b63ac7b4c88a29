import ArgumentParser
import Glibc
import ReactorSMTP

struct MailUser: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Print a line for the users of a relay: a name, and keys made of a password.",
        discussion: """
            Reads the password from the standard input, up to the end of the line; on a terminal it is not shown. What is printed
            serves to check the password, and does not hold it.

            Try it:
              reactor mail user alice >> users
              reactor serve smtp --users users --tls-self-signed --listen 127.0.0.1:2525 --spool /tmp/spool
            """)

    @Argument(help: "The user's name.")
    var name: String

    func validate() throws {
        if name.isEmpty || name.contains(where: { $0 == ":" || $0.isNewline }) || name.hasPrefix("#") {
            throw ValidationError("a name is not empty, has no ':' and no line break, and does not begin with '#'")
        }
    }

    func run() throws {
        guard let password = Self.readPassword(), !password.isEmpty else {
            throw ValidationError("no password came on the standard input")
        }
        print("\(name):\(SCRAMKeys(password: password))")
    }

    private static func readPassword() -> String? {
        guard isatty(STDIN_FILENO) == 1 else { return readLine() }
        prompt("Password: ")
        var settings = termios()
        guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return readLine() }
        var hidden = settings
        hidden.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
            prompt("\n")
        }
        return readLine()
    }

    private static func prompt(_ text: String) {
        var text = text
        text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
