/// The name of who authenticates, before anybody is asked about it or a log has it.
enum UserName {
    /// In bytes: no name is longer, and what a stranger says goes to a log.
    static let longest = 255

    /// Nil if it is empty, too long, or no text; or if a character in it controls how text is shown: those have no place in
    /// names (RFC 4013 section 2.3), and a line break in a log could begin a line of its own.
    static func parse(_ bytes: some Collection<UInt8>) -> String? {
        guard (1...longest).contains(bytes.count), let name = String(validating: bytes, as: UTF8.self) else { return nil }
        let controls: [Unicode.GeneralCategory] = [.control, .format, .lineSeparator, .paragraphSeparator]
        return name.unicodeScalars.contains { controls.contains($0.properties.generalCategory) } ? nil : name
    }
}
