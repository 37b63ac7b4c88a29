import ReactorWire

/// A command line, taken apart (RFC 5321 section 4.1.1). It holds offsets into the line, no text of its own.
struct SMTPCommand {
    enum Verb {
        case helo, ehlo, mail, rcpt, data, rset, noop, quit, vrfy, help, starttls
        /// Known from some RFC, not offered here: 502.
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
            } else if word.equalsIgnoringCase("helo") { self = .helo
            } else if word.equalsIgnoringCase("rset") { self = .rset
            } else if word.equalsIgnoringCase("quit") { self = .quit
            } else if word.equalsIgnoringCase("noop") { self = .noop
            } else if word.equalsIgnoringCase("vrfy") { self = .vrfy
            } else if word.equalsIgnoringCase("help") { self = .help
            } else if word.equalsIgnoringCase("expn") || word.equalsIgnoringCase("turn")
                || word.equalsIgnoringCase("etrn") || word.equalsIgnoringCase("bdat")
                || word.equalsIgnoringCase("auth") || word.equalsIgnoringCase("send")
                || word.equalsIgnoringCase("soml") || word.equalsIgnoringCase("saml")
            { self = .unimplemented
            } else { self = .unknown }
        } else {
            self = word.equalsIgnoringCase("starttls") ? .starttls : .unknown
        }
    }
}

/// The argument of MAIL or RCPT: a path and the parameters behind it.
struct MailArgument {
    var mailbox: String
    var size: Int?
    var body: Envelope.BodyType?

    /// Which of the two commands the argument belongs to.
    enum Kind {
        /// `FROM:` a reverse-path; SIZE (RFC 1870) and BODY (RFC 6152) may follow.
        case mail
        /// `TO:` a forward-path; no parameter is offered.
        case rcpt
    }

    /// - Throws: the reply to send.
    init(_ bytes: RawSpan, _ argument: Range<Int>, as kind: Kind) throws(SMTPServerReply) {
        let syntaxError: SMTPServerReply = kind == .mail ? .badMailSyntax : .badRcptSyntax
        let line = bytes.slice(argument)
        let keywordLength = kind == .mail ? 5 : 3
        guard line.byteCount > keywordLength,
            line.slice(0..<keywordLength).equalsIgnoringCase(kind == .mail ? "from:" : "to:")
        else { throw syntaxError }
        var start = keywordLength
        // Forbidden by section 3.3, and sent by so many that refusing it helps nobody.
        while start < line.byteCount, line[start] == UInt8(ascii: " ") { start += 1 }
        let path: MailPath.Parsed
        do {
            path = try MailPath.parse(line, from: start)
        } catch .tooLong {
            throw .pathTooLong
        } catch {
            throw kind == .mail ? .badSender : .badRecipient
        }
        let mailbox = line.slice(path.mailbox)
        self.mailbox = mailbox.text
        if kind == .rcpt, mailbox.isEmpty { throw .badRecipient }
        if kind == .mail, !mailbox.isEmpty, mailbox.firstIndex(of: UInt8(ascii: "@")) == nil { throw .badSender }

        var position = path.end
        while position < line.byteCount {
            guard line[position] == UInt8(ascii: " ") else { throw syntaxError }
            position += 1
            let end = line.firstIndex(of: UInt8(ascii: " "), from: position) ?? line.byteCount
            if end > position { try take(line.slice(position..<end), as: kind) }
            position = end
        }
    }

    private mutating func take(_ parameter: RawSpan, as kind: Kind) throws(SMTPServerReply) {
        let equals = parameter.firstIndex(of: UInt8(ascii: "=")) ?? parameter.byteCount
        let name = parameter.slice(0..<equals)
        let value = parameter.slice(min(equals + 1, parameter.byteCount)..<parameter.byteCount)
        if kind == .mail, name.equalsIgnoringCase("size") {
            guard size == nil, let declared = Self.size(value) else { throw .badParameter }
            size = declared
        } else if kind == .mail, name.equalsIgnoringCase("body") {
            if body != nil { throw .badParameter }
            if value.equalsIgnoringCase("7bit") {
                body = .sevenBit
            } else if value.equalsIgnoringCase("8bitmime") {
                body = .eightBitMIME
            } else {
                throw .badParameter
            }
        } else {
            throw .unknownParameter
        }
    }

    /// 1 to 20 digits (RFC 1870 section 3); what no `Int` holds is larger than any limit.
    private static func size(_ digits: RawSpan) -> Int? {
        guard (1...20).contains(digits.byteCount) else { return nil }
        for index in 0..<digits.byteCount where !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digits[index]) {
            return nil
        }
        return digits.decimal ?? .max
    }
}
