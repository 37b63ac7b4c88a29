public import ReactorSMTP
import ReactorWire

/// Makes what people write into what SMTP carries, a piece at a time: lines end in CRLF, and the header fields `Date` and
/// `Message-ID` are added where they are missing. On request the recipients are taken from the header. A text without a
/// header gets one.
///
/// A message above ``Limits/contentInMemory`` goes into a file, which is removed when nobody holds its content any more.
public struct MailPreparation: ~Copyable {
    public struct Limits: Sendable {
        /// The longest header, in bytes: 1 MiB, more than any server takes.
        public var header = 1024 * 1024
        /// Contents up to this many bytes are held in memory: 256 KiB, as the relay has it.
        public var contentInMemory = 256 * 1024

        public init() {}
    }

    /// The content, and whom its header names, in its order, each once.
    public struct Prepared: Sendable {
        public var content: MessageContent
        public var recipients: [String]
    }

    private let readsRecipients: Bool
    private let hostname: String
    private let unixSeconds: Int64
    private let limits: Limits
    private let directory: String
    private var lastWasCR = false
    /// Complete lines wait here for the end of the header.
    private var header: [UInt8]? = []
    private var content = MessageContent.bytes([])
    private var recipients: [String] = []

    /// - Parameters:
    ///   - readingRecipients: takes them from the fields To, Cc and Bcc, and removes Bcc.
    ///   - hostname: stands in a Message-ID that is added.
    ///   - unixSeconds: the time now, for a Date that is added.
    ///   - directory: where large contents are put.
    public init(
        readingRecipients: Bool, hostname: String, unixSeconds: Int64, directory: String = "/tmp", limits: Limits = Limits()
    ) {
        readsRecipients = readingRecipients
        self.hostname = hostname
        self.unixSeconds = unixSeconds
        self.directory = directory
        self.limits = limits
    }

    /// The next piece of what was written. Blocks if it goes to a file.
    public mutating func add(_ piece: RawSpan) throws(MailPreparationError) {
        let lines = withLineEnds(piece)
        guard var collected = header.take() else { return try append(lines) }
        // The end may lie across two pieces.
        let searched = max(collected.count - 3, 0)
        collected += lines
        if let end = HeaderBlock.end(of: collected, from: searched) {
            return try endHeader(collected, end)
        }
        if collected.count <= limits.header {
            header = collected
        } else if HeaderBlock(collected, end: collected.count).end < collected.count {
            // It has ended before, without an empty line.
            try endHeader(collected, collected.count)
        } else {
            throw .headerTooLong
        }
    }

    /// All was added.
    public consuming func finish() throws(MailPreparationError) -> Prepared {
        if let collected = header.take() { try endHeader(collected, collected.count) }
        return Prepared(content: content, recipients: recipients)
    }

    /// A CR or LF alone is a line's end in some system's files; a LF is made one, and a CR left for the client to refuse.
    private mutating func withLineEnds(_ piece: RawSpan) -> [UInt8] {
        var lines: [UInt8] = []
        lines.reserveCapacity(piece.byteCount + piece.byteCount / 32)
        for offset in 0..<piece.byteCount {
            let byte = piece[offset]
            if byte == UInt8(ascii: "\n"), !lastWasCR { lines.append(UInt8(ascii: "\r")) }
            lines.append(byte)
            lastWasCR = byte == UInt8(ascii: "\r")
        }
        return lines
    }

    private mutating func endHeader(_ collected: [UInt8], _ end: Int) throws(MailPreparationError) {
        var block = HeaderBlock(collected, end: end)
        if readsRecipients { recipients = try block.takeRecipients() }
        block.addMissing(hostname: hostname, unixSeconds: unixSeconds)
        try append(block.bytes)
        try append(Array(collected[block.end...]))
    }

    private mutating func append(_ bytes: [UInt8]) throws(MailPreparationError) {
        do throws(ContentFileError) {
            if case .bytes(var held) = content {
                content = .bytes([])
                held += bytes
                guard held.count > limits.contentInMemory else {
                    content = .bytes(held)
                    return
                }
                let file = try ContentFile(creating: "\(directory)/reactor-mail-\(QueueID.random())")
                try file.append(held.span.bytes)
                content = .file(file)
            } else if case .file(let file) = content {
                try file.append(bytes.span.bytes)
            }
        } catch {
            throw .file(error)
        }
    }
}

/// What people wrote cannot be made into a message.
public enum MailPreparationError: Error, Equatable, Sendable, CustomStringConvertible {
    case headerTooLong
    /// A field that should list addresses does not, by its name.
    case addresses(field: String)
    /// The file for a large content.
    case file(ContentFileError)

    public var description: String {
        switch self {
        case .headerTooLong: "the message's header has no end"
        case .addresses(let field): "the header field \(field) is no list of addresses"
        case .file(let error): "\(error)"
        }
    }
}
