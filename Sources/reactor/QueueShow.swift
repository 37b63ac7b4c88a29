import ArgumentParser
import ReactorMailQueue
import ReactorSMTP

struct QueueShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one message: its envelope, its recipients and its header.",
        discussion: """
            With --content: its header and body, and nothing else, where control characters are written as \\u{...}; with \
            --raw byte for byte, as for a file. With --json: an object as in 'list', and the header as 'header'.
            """)

    @OptionGroup var location: QueueLocation

    @Flag(help: "Print the content.")
    var content = false

    @Flag(help: "Print the content byte for byte.")
    var raw = false

    @Argument(help: "The message's id, as 'list' prints it.")
    var id: String

    func validate() throws {
        if location.json && (content || raw) { throw ValidationError("--json has no content: give --raw to have it in a file") }
    }

    func run() throws {
        let spool = try location.open()
        guard let message = try spool.message(id) else { throw NoSuchMessage(ids: [id], directory: location.directory) }
        var output = QueueOutput()
        if content || raw {
            guard let found = try spool.content(of: id) else { throw NoSuchMessage(ids: [id], directory: location.directory) }
            try print(found, to: &output)
        } else {
            // It may be quarantined because its content cannot be read.
            let header = (try? spool.content(of: id)).flatMap { $0 }.flatMap { try? $0.header() }
            if location.json {
                output.line(message.json(header: header ?? ""))
            } else {
                print(message, header, to: &output)
            }
        }
        output.flush()
    }

    private func print(_ message: QueuedMessage, _ header: String?, to output: inout QueueOutput) {
        message.print(to: &output)
        var extensions = "    BODY=\(message.body.printable())"
        if message.isInternationalized { extensions += " SMTPUTF8" }
        if let ret = message.returnContent { extensions += " RET=\(ret.printable())" }
        if let envelopeID = message.envelopeID { extensions += " ENVID=\(envelopeID.printable())" }
        output.line(extensions)
        output.line("")
        output.line(header?.printable(lines: true) ?? "its content cannot be read")
    }

    /// Piece by piece: it may be large.
    private func print(_ content: MessageContent, to output: inout QueueOutput) throws {
        var offset = 0
        var piece: [UInt8] = []
        while offset < content.size {
            let before = piece.count
            try content.read(from: offset, upTo: 65_536, into: &piece)
            if piece.count == before { break }
            offset += piece.count - before
            if raw {
                output.write(piece)
                piece = []
            } else {
                // A character that is cut stays for the next piece.
                let end = offset < content.size ? piece.startOfLastCharacter : piece.count
                output.write(String(decoding: piece[..<end], as: UTF8.self).printable(lines: true).utf8)
                piece.removeFirst(end)
            }
        }
    }
}

extension [UInt8] {
    fileprivate var startOfLastCharacter: Int {
        for index in indices.reversed().prefix(4) where self[index] & 0xC0 != 0x80 && index > 0 { return index }
        return count
    }
}

extension MessageContent {
    /// Up to the empty line, and no more than 64 KiB.
    fileprivate func header() throws -> String {
        var bytes: [UInt8] = []
        try read(from: 0, upTo: 65_536, into: &bytes)
        let text = String(decoding: bytes, as: UTF8.self)
        return text.starts(with: "\r\n") ? "" : String(text.prefix(upTo: text.firstRange(of: "\r\n\r\n")?.lowerBound ?? text.endIndex))
    }
}
