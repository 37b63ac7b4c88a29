import ReactorWire

/// A command line, taken apart (RFC 5321 section 4.1.1). It holds offsets into the line, no text of its own.
struct SMTPCommand {
    enum Verb {
        case helo, ehlo, mail, rcpt, data, bdat, rset, noop, quit, vrfy, help, starttls, auth
        /// Known from some RFC, not offered here: 502. EXPN tells who reads a list (RFC 5321 section 7.3).
        case unimplemented
        case unknown
    }

    let verb: Verb
    /// Behind the verb, without the white space on both sides.
    let argument: Range<Int>

    init(_ line: RawSpan) {
        let space = UInt8(ascii: " ")
        let verbEnd = line.firstIndex(of: space) ?? line.byteCount
        verb = Verb(line.slice(0..<verbEnd))
        var start = verbEnd
        var end = line.byteCount
        while start < end, line[start] == space { start += 1 }
        // Section 4.1.1: trailing white space is tolerated.
        while end > start, line[end - 1] == space || line[end - 1] == UInt8(ascii: "\t") { end -= 1 }
        argument = start..<end
    }
}

extension SMTPCommand.Verb {
    init(_ word: RawSpan) {
        if word.byteCount == 4 {
            if word.equalsIgnoringCase("rcpt") { self = .rcpt
            } else if word.equalsIgnoringCase("mail") { self = .mail
            } else if word.equalsIgnoringCase("data") { self = .data
            } else if word.equalsIgnoringCase("ehlo") { self = .ehlo
            } else if word.equalsIgnoringCase("bdat") { self = .bdat
            } else if word.equalsIgnoringCase("helo") { self = .helo
            } else if word.equalsIgnoringCase("rset") { self = .rset
            } else if word.equalsIgnoringCase("quit") { self = .quit
            } else if word.equalsIgnoringCase("noop") { self = .noop
            } else if word.equalsIgnoringCase("auth") { self = .auth
            } else if word.equalsIgnoringCase("vrfy") { self = .vrfy
            } else if word.equalsIgnoringCase("help") { self = .help
            } else if word.equalsIgnoringCase("expn") || word.equalsIgnoringCase("turn")
                || word.equalsIgnoringCase("etrn") || word.equalsIgnoringCase("send")
                || word.equalsIgnoringCase("soml") || word.equalsIgnoringCase("saml")
            { self = .unimplemented
            } else { self = .unknown }
        } else {
            self = word.equalsIgnoringCase("starttls") ? .starttls : .unknown
        }
    }
}

/// The words of an argument, which single spaces or more of them part.
struct ArgumentWords: ~Escapable {
    private let bytes: RawSpan
    private var position = 0

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) { self.bytes = bytes }

    /// Where the next word stands; nil behind the last one.
    mutating func next() -> Range<Int>? {
        while position < bytes.byteCount, bytes[position] == UInt8(ascii: " ") { position += 1 }
        if position == bytes.byteCount { return nil }
        let start = position
        position = bytes.firstIndex(of: UInt8(ascii: " "), from: start) ?? bytes.byteCount
        return start..<position
    }
}

/// The argument of BDAT (RFC 3030 section 2): a size, and perhaps `LAST`.
struct ChunkArgument: Equatable {
    var size: Int
    var isLast: Bool

    /// Nil if it is none. What no `Int` holds is larger than any limit.
    init?(_ argument: RawSpan) {
        var words = ArgumentWords(argument)
        guard let digits = words.next(), let size = MailArgument.size(argument.slice(digits)) else { return nil }
        self.size = size
        isLast = false
        if let word = words.next() {
            guard argument.slice(word).equalsIgnoringCase("last"), words.next() == nil else { return nil }
            isLast = true
        }
    }
}
