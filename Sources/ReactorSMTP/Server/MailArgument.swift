import ReactorWire

/// The argument of MAIL or RCPT: a path and the parameters behind it.
struct MailArgument {
    var mailbox: String
    /// In lower case; nil for `<>` and a lone Postmaster.
    var domain: String?
    var size: Int?
    var body: Envelope.BodyType?
    var isInternationalized = false
    var returnContent: Envelope.ReturnContent?
    var envelopeID: String?
    var notify: Envelope.Notify?
    var originalRecipient: String?
    private var hasAuthor = false

    /// Which of the two commands the argument belongs to.
    enum Kind {
        /// `FROM:` a reverse-path; SIZE (RFC 1870), BODY (RFC 6152), RET and ENVID (RFC 3461), SMTPUTF8 (RFC 6531) and
        /// AUTH (RFC 4954) may follow.
        case mail
        /// `TO:` a forward-path; NOTIFY and ORCPT (RFC 3461) may follow. In a transaction with SMTPUTF8 both may hold UTF-8.
        case rcpt(internationalized: Bool)

        var isMail: Bool { if case .mail = self { true } else { false } }
    }

    /// - Throws: the reply to send.
    init(_ bytes: RawSpan, _ argument: Range<Int>, as kind: Kind) throws(SMTPServerReply) {
        let syntaxError: SMTPServerReply = kind.isMail ? .badMailSyntax : .badRcptSyntax
        let line = bytes.slice(argument)
        let keywordLength = kind.isMail ? 5 : 3
        guard line.byteCount > keywordLength,
            line.slice(0..<keywordLength).equalsIgnoringCase(kind.isMail ? "from:" : "to:")
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
            throw kind.isMail ? .badSender : .badRecipient
        }
        mailbox = line.slice(path.mailbox).text
        domain = path.domain.map { line.slice($0).text.lowercased() }
        if !kind.isMail, path.mailbox.isEmpty { throw .badRecipient }
        if kind.isMail, !path.mailbox.isEmpty, path.domain == nil { throw .badSender }
        if case .rcpt(let internationalized) = kind { isInternationalized = internationalized }

        if path.end < line.byteCount {
            guard line[path.end] == UInt8(ascii: " ") else { throw syntaxError }
            let rest = line.slice(path.end..<line.byteCount)
            var words = ArgumentWords(rest)
            while let word = words.next() { try take(rest.slice(word), as: kind) }
        }
        if !path.isASCII && !isInternationalized { throw .addressNeedsUTF8 }
    }

    private mutating func take(_ parameter: RawSpan, as kind: Kind) throws(SMTPServerReply) {
        let equals = parameter.firstIndex(of: UInt8(ascii: "="))
        let name = parameter.slice(0..<(equals ?? parameter.byteCount))
        let value = parameter.slice(min((equals ?? parameter.byteCount) + 1, parameter.byteCount)..<parameter.byteCount)
        if kind.isMail {
            try takeMail(name, value, hasValue: equals != nil)
        } else if name.equalsIgnoringCase("notify") {
            try set(&notify, to: Envelope.Notify(value))
        } else if name.equalsIgnoringCase("orcpt") {
            try set(&originalRecipient, to: Self.originalRecipient(value, internationalized: isInternationalized))
        } else {
            throw .unknownParameter
        }
    }

    private mutating func takeMail(_ name: RawSpan, _ value: RawSpan, hasValue: Bool) throws(SMTPServerReply) {
        if name.equalsIgnoringCase("size") {
            try set(&size, to: Self.size(value))
        } else if name.equalsIgnoringCase("body") {
            try set(&body, to: Envelope.BodyType(rawValue: value.text.uppercased()))
        } else if name.equalsIgnoringCase("ret") {
            try set(&returnContent, to: Envelope.ReturnContent(rawValue: value.text.uppercased()))
        } else if name.equalsIgnoringCase("envid") {
            try set(&envelopeID, to: Self.envelopeID(value))
        } else if name.equalsIgnoringCase("smtputf8") {
            if hasValue || isInternationalized { throw .badParameter }
            isInternationalized = true
        } else if name.equalsIgnoringCase("auth") {
            // Who submitted it first, as the peer says: checked, and not passed on (RFC 4954 section 5).
            if hasAuthor || !Self.isAuthor(value) { throw .badParameter }
            hasAuthor = true
        } else {
            throw .unknownParameter
        }
    }

    /// A parameter stands once at most, with a value that is one.
    private func set<Value>(_ target: inout Value?, to value: Value?) throws(SMTPServerReply) {
        guard target == nil, let value else { throw .badParameter }
        target = value
    }

    /// 1 to 20 digits (RFC 1870 section 3); what no `Int` holds is larger than any limit.
    static func size(_ digits: RawSpan) -> Int? {
        guard (1...20).contains(digits.byteCount) else { return nil }
        for index in 0..<digits.byteCount where !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digits[index]) {
            return nil
        }
        return digits.decimal ?? .max
    }

    /// xtext of 100 characters at most (RFC 3461 section 4.4).
    private static func envelopeID(_ value: RawSpan) -> String? {
        guard (1...100).contains(value.byteCount), Xtext.decode(value) != nil else { return nil }
        return value.text
    }

    /// A type, a semicolon and xtext, 500 characters at most (RFC 3461 section 4.2), or UTF-8 where the type is that and the
    /// transaction has SMTPUTF8 (RFC 6533 section 3).
    private static func originalRecipient(_ value: RawSpan, internationalized: Bool) -> String? {
        guard value.byteCount <= 500, let semicolon = value.firstIndex(of: UInt8(ascii: ";")), semicolon > 0 else { return nil }
        let type = value.slice(0..<semicolon)
        for index in 0..<type.byteCount where !MailPath.isAtomText(type[index]) { return nil }
        let address = value.slice(semicolon + 1..<value.byteCount)
        if address.isEmpty { return nil }
        if internationalized, type.equalsIgnoringCase("utf-8"), !MailPath.isASCII(address) {
            return MailPath.isText(address) && Xtext.isPlain(address) ? value.text : nil
        }
        return Xtext.decode(address) == nil ? nil : value.text
    }

    /// `<>`, or a mailbox in xtext.
    private static func isAuthor(_ value: RawSpan) -> Bool {
        if value.equals("<>") { return true }
        guard let text = Xtext.decode(value) else { return false }
        return MailPath.isMailbox(text)
    }
}

extension Envelope.Notify {
    /// `NEVER`, or a list of the others (RFC 3461 section 4.1).
    init?(_ value: RawSpan) {
        self = []
        if value.equalsIgnoringCase("never") { return }
        var start = 0
        while start <= value.byteCount {
            let end = value.firstIndex(of: UInt8(ascii: ","), from: start) ?? value.byteCount
            let word = value.slice(start..<end)
            if word.equalsIgnoringCase("success") { insert(.success)
            } else if word.equalsIgnoringCase("failure") { insert(.failure)
            } else if word.equalsIgnoringCase("delay") { insert(.delay)
            } else { return nil }
            start = end + 1
        }
    }
}

/// What stands in a parameter that may hold only some characters (RFC 3461 section 4).
package enum Xtext {
    /// The text that is meant, printable ASCII; nil if this is no xtext, or stands for anything else.
    package static func decode(_ value: RawSpan) -> String? {
        var bytes: [UInt8] = []
        var index = 0
        while index < value.byteCount {
            var byte = value[index]
            if byte == UInt8(ascii: "+") {
                guard index + 2 < value.byteCount, let high = hexDigit(value[index + 1]), let low = hexDigit(value[index + 2])
                else { return nil }
                byte = high << 4 | low
                index += 2
            } else if byte <= 32 || byte == UInt8(ascii: "=") {
                return nil
            }
            guard byte >= 32, byte <= 126 else { return nil }
            bytes.append(byte)
            index += 1
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The text as xtext.
    package static func encode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte > 32, byte < 127, byte != UInt8(ascii: "+"), byte != UInt8(ascii: "=") {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "+"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether none of the bytes would have to be written otherwise but for those of UTF-8 (RFC 6533 section 3).
    static func isPlain(_ value: RawSpan) -> Bool {
        for index in 0..<value.byteCount {
            let byte = value[index]
            if byte <= 32 || byte == 127 || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "=") || byte == UInt8(ascii: "\\") {
                return false
            }
        }
        return true
    }

    /// In upper case, as the RFC has them.
    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
