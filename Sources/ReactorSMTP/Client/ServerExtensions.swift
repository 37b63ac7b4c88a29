/// What a server offers in its answer to EHLO or LHLO (RFC 5321 section 4.1.1.1).
struct ServerExtensions {
    var pipelining = false
    var eightBitMIME = false
    var chunking = false
    var binaryMIME = false
    var dsn = false
    var smtpUTF8 = false
    var startTLS = false
    var size = false
    /// The largest message the server takes, if it says.
    var maxSize: Int?
    /// Mechanisms of AUTH, in upper case.
    var mechanisms: Set<String> = []

    init() {}

    init(_ reply: SMTPReply) {
        for line in reply.lines.dropFirst() {
            // `AUTH=` is how servers wrote it before the extension was standardised.
            let words = line.uppercased().split { $0 == " " || $0 == "=" }.map(String.init)
            switch words.first {
            case "PIPELINING": pipelining = true
            case "8BITMIME": eightBitMIME = true
            case "CHUNKING": chunking = true
            case "BINARYMIME": binaryMIME = true
            case "DSN": dsn = true
            case "SMTPUTF8": smtpUTF8 = true
            case "STARTTLS": startTLS = true
            case "AUTH": mechanisms.formUnion(words.dropFirst())
            case "SIZE":
                size = true
                // RFC 1870 section 4: zero or nothing says that there is no fixed limit.
                if words.count > 1, let limit = Int(words[1]), limit > 0 { maxSize = limit }
            default: break
            }
        }
    }

    /// RFC 3030 section 3: who takes BINARYMIME takes BDAT.
    var takesBinary: Bool { binaryMIME && chunking }
}
