import ReactorWire

/// A message's content on its way in: our own trace header and what the client sends, gathered in memory, and from a size on
/// handed out in pieces for a file. As far as it is in memory it counts against the server's budget.
struct IncomingContent {
    /// What is in memory: all of it, or what has yet to be written to the file.
    private(set) var bytes: [UInt8]
    /// Content bytes seen, kept or not; without what we add (RFC 1870 section 4).
    private(set) var size = 0
    private(set) var header: HeaderScanner
    let share: ContentBudget.Share
    /// Where the front of it is.
    var file: ContentFile?
    /// Why it is not kept: what came and what comes is only counted.
    private(set) var fault: Fault?
    /// The store has no files.
    private var staysInMemory = false
    private let limits: SMTPServerLimits
    private let headerStart: Int

    enum Fault { case tooLarge, headerTooLarge, noRoom, notWritten }

    init(trace: [UInt8], limits: SMTPServerLimits, budget: ContentBudget) {
        bytes = []
        self.limits = limits
        headerStart = trace.count
        header = HeaderScanner(from: trace.count)
        share = ContentBudget.Share(of: budget)
        if share.grow(to: trace.count) { bytes = trace } else { fault = .noRoom }
    }

    mutating func append(_ content: RawSpan) {
        size += content.byteCount
        if fault != nil { return }
        if size > limits.messageSize { return drop(.tooLarge) }
        // A first line that continues none would continue our trace header.
        let isContinuation = size == content.byteCount && content.byteCount > 0 && (content[0] == 0x20 || content[0] == 0x09)
        if !share.grow(to: bytes.count + content.byteCount + (isContinuation ? 2 : 0)) { return drop(.noRoom) }
        if isContinuation { bytes += [13, 10] }
        content.withUnsafeBytes { bytes.append(contentsOf: $0) }
        if header.end == nil {
            var scanner = header
            scanner.scan(bytes.span.bytes)
            header = scanner
            checkHeader()
        }
    }

    /// The message is whole.
    mutating func finish() {
        if fault != nil || header.end != nil { return }
        var scanner = header
        scanner.finish(bytes.span.bytes)
        header = scanner
        checkHeader()
    }

    /// Puts fields at the end of the header section, which must be in memory.
    mutating func addToHeader(_ fields: String) {
        guard fault == nil, let end = header.end else { return }
        // Fields that stood in front of a line that is none would be followed by it as if it were one.
        // Nor does the last line of a header that came in chunks have to end.
        let lineEnd = end > 0 && bytes[end - 1] != UInt8(ascii: "\n") ? "\r\n" : ""
        let added = Array((lineEnd + fields + (header.endsInEmptyLine || end == bytes.count ? "" : "\r\n")).utf8)
        if !share.grow(to: bytes.count + added.count) { return drop(.noRoom) }
        bytes.insert(contentsOf: added, at: end)
    }

    mutating func drop(_ fault: Fault) {
        self.fault = fault
        bytes = []
        file = nil
        share.release()
    }

    private mutating func checkHeader() {
        // The CR of the empty line may be there before its LF.
        if (header.end ?? bytes.count - 1) - headerStart > limits.headerSize { drop(.headerTooLarge) }
    }

    // MARK: A file for the rest

    /// So much is in memory that it should be written to the file.
    var isPieceDue: Bool {
        fault == nil && !staysInMemory && header.end != nil && bytes.count > limits.contentInMemory
    }

    /// What is to be written next. It counts on until ``pieceWritten(to:)``.
    mutating func takePiece() -> [UInt8] {
        var piece: [UInt8] = []
        swap(&piece, &bytes)
        return piece
    }

    mutating func pieceWritten(to file: ContentFile) {
        self.file = file
        // It shrinks, which never fails.
        _ = share.grow(to: bytes.count)
        bytes.reserveCapacity(limits.contentInMemory)
    }

    /// The store has no file for it.
    mutating func keepInMemory(_ piece: [UInt8]) {
        bytes = piece
        staysInMemory = true
    }
}
