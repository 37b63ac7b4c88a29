import Glibc
import ReactorSMTP

/// Maildirs on this machine: messages become files in `new`, each written into `tmp` first, synced, and then linked, so that
/// whoever reads the directory sees whole messages only. Everything here blocks.
///
/// A message's file is called after the queue's name for it, so that a relay that died between delivering and writing that
/// down does not deliver twice, as long as nobody has read the message in between.
public struct Mailboxes: Sendable {
    /// An absolute path, in which `%u` stands for the recipient's local part and `%d` for its domain, in lower case.
    public let template: String
    let hostname: String

    public init(_ template: String, hostname: String) {
        self.template = template
        self.hostname = hostname
    }

    /// Whether there is a mailbox for a recipient, so that the others can be refused in the session. Where the path names
    /// recipients, their directories have to be there; a path that is the same for all is made when it is needed. True where
    /// the system does not say: nobody is refused for its trouble.
    public func has(_ address: String) -> Bool {
        guard let path = path(for: address) else { return false }
        return !isPerRecipient || Self.isDirectory(path)
    }

    private var isPerRecipient: Bool { template.contains("%u") || template.contains("%d") }

    /// Nil if the address cannot be part of a path: it must not lead anywhere else.
    func path(for address: String) -> String? {
        let parts = MailPath.parts(of: address)
        let (user, domain) = (parts.localPart.lowercased(), parts.domain?.lowercased() ?? "")
        for (mark, value) in [("%u", user), ("%d", domain)] where template.contains(mark) {
            if value.isEmpty || value.hasPrefix(".") || value.utf8.contains(where: { $0 == 0x2F || $0 < 0x20 || $0 == 0x25 }) { return nil }
        }
        var path = ""
        var rest = template[...]
        while let percent = rest.firstIndex(of: "%") {
            path += rest[..<percent]
            rest = rest[percent...]
            let mark = rest.prefix(2)
            path += mark == "%u" ? user : mark == "%d" ? domain : String(mark)
            rest = rest.dropFirst(2)
        }
        return path + rest
    }

    /// Delivers to each of the message's recipients.
    func deliver(_ message: OutgoingMessage) -> [DeliveryOutcome] {
        let seen: Set<String>
        do {
            seen = try DeliveredTo.addresses(in: message.content)
        } catch {
            return message.recipients.map { _ in .deferred(.here(4, 3, 0, "\(error)")) }
        }
        return message.recipients.map { recipient in
            if seen.contains(recipient.address.lowercased()) {
                return .failed(.here(5, 4, 6, "mail forwarding loop for \(recipient.address)"))
            }
            return deliver(message, to: recipient)
        }
    }

    private func deliver(_ message: OutgoingMessage, to recipient: OutgoingMessage.Recipient) -> DeliveryOutcome {
        guard has(recipient.address), let path = path(for: recipient.address) else {
            return .failed(.here(5, 1, 1, "there is no mailbox for \(recipient.address)"))
        }
        do throws(MaildirError) {
            let maildir = try Maildir(at: path)
            let name = "\(message.envelope.received).\(message.id)_\(recipient.position).\(Maildir.safe(hostname))"
            try maildir.deliver(name) { file throws(MaildirError) in
                try file.write(Array(Self.header(message, recipient.address).utf8))
                try Self.copy(message, to: &file)
            }
            return .delivered(.here(2, 0, 0, "delivered to maildir"))
        } catch {
            // RFC 3463: 4.2.2 the mailbox is full, 4.3.0 the system has a trouble.
            return .deferred(error.isFull ? .here(4, 2, 2, "\(error)") : .here(4, 3, 0, "\(error)"))
        }
    }

    /// RFC 5321 section 4.4; `Delivered-To` is what loops are seen by.
    private static func header(_ message: OutgoingMessage, _ address: String) -> String {
        // An address has no such characters; a queue that says otherwise begins no line with them.
        let sender = message.envelope.sender.unicodeScalars.filter { $0.value >= 32 }
        let recipient = address.unicodeScalars.filter { $0.value >= 32 }
        return "Return-Path: <\(String(String.UnicodeScalarView(sender)))>\nDelivered-To: \(String(String.UnicodeScalarView(recipient)))\n"
    }

    /// Files on a Unix system have lines that end in LF; what is BINARYMIME has no lines.
    private static func copy(_ message: OutgoingMessage, to file: inout MaildirFile) throws(MaildirError) {
        var offset = 0
        var held = false
        let isBinary = message.envelope.body == .binaryMIME
        while offset < message.content.size {
            var piece: [UInt8] = []
            do throws(ContentFileError) {
                try message.content.read(from: offset, upTo: 64 * 1024, into: &piece)
            } catch {
                throw MaildirError(operation: "read", path: error.path, code: error.code)
            }
            offset += piece.count
            if piece.isEmpty { break }
            try file.write(isBinary ? piece : withoutCarriageReturns(piece, &held))
        }
        if held { try file.write([UInt8(ascii: "\r")]) }
    }

    /// - Parameter held: the piece before ended in a CR, which is not written yet.
    private static func withoutCarriageReturns(_ piece: [UInt8], _ held: inout Bool) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(piece.count + 1)
        for byte in piece {
            if held, byte != UInt8(ascii: "\n") { result.append(UInt8(ascii: "\r")) }
            held = byte == UInt8(ascii: "\r")
            if !held { result.append(byte) }
        }
        return result
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        if stat(path, &status) != 0 { return ![ENOENT, ENOTDIR, ENAMETOOLONG].contains(errno) }
        return status.st_mode & S_IFMT == S_IFDIR
    }
}

/// Where a message was delivered before, as its header says: a message that comes back is in a loop.
enum DeliveredTo {
    /// Headers are read up to here; who writes a longer one is not in a loop of ours by accident.
    static let largestHeader = 256 * 1024

    /// In lower case.
    static func addresses(in content: MessageContent) throws(ContentFileError) -> Set<String> {
        var head: [UInt8] = []
        try content.read(from: 0, upTo: largestHeader, into: &head)
        var found: Set<String> = []
        for line in head.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if line.isEmpty || line.elementsEqual(CollectionOfOne(UInt8(ascii: "\r"))) { break }
            let text = String(decoding: line.prefix(512), as: UTF8.self).lowercased()
            guard text.hasPrefix("delivered-to:") else { continue }
            found.insert(text.dropFirst(13).filter { !$0.isWhitespace })
        }
        return found
    }
}
