import ArgumentParser
import ConnectionHandling
import ServerArchitectures

struct ServeChargen: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chargen",
        abstract: "Sends characters without end, and ignores what it receives (RFC 864).",
        discussion: """
            Try it:
              reactor serve chargen --listen 127.0.0.1:7019
              nc 127.0.0.1 7019 | head
            """)

    @OptionGroup var server: ServerArguments

    func run() throws { try Service.run(server.streams(for: "serve chargen").map(chargen), server.options) }
}

func chargen(_ target: ListenTarget) -> Service { Service("chargen", target) { CharacterGenerator() } }

/// The Character Generator Protocol over TCP (RFC 864): output without end, as fast as the peer takes it and no faster.
/// Not over UDP, where each answer would be larger than its question, and go to whoever was named as the sender.
struct CharacterGenerator: ConnectionHandler {
    /// RFC 864's pattern: lines of 72 printable characters, each beginning one character further on, until it repeats.
    static let pattern: [UInt8] = {
        let printable: [UInt8] = Array(0x20...0x7E)
        return printable.indices.flatMap { row in
            (0..<72).map { column in printable[(row + column) % printable.count] } + [0x0D, 0x0A]
        }
    }()

    func connected(on connection: inout Connection) { fill(&connection) }

    func drained(on connection: inout Connection) { fill(&connection) }

    func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }

    /// Always the whole pattern, so that nothing has to be remembered of where it stands.
    private func fill(_ connection: inout Connection) {
        while !connection.isBackedUp { connection.write(Self.pattern.span.bytes) }
    }
}
