import ReactorWire

/// A directory as text. Names are bytes of any kind, and are escaped for where they stand.
extension DirectoryListing {
    // MARK: HTML

    func writePage(of path: String, to page: inout ByteQueue) {
        // What was sent, decoded: what the path in the file system is relative to need not be the site's root.
        let title = Self.escaped(Self.decoded(path).utf8)
        page.append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        page.append("<meta name=\"viewport\" content=\"width=device-width\">\n<title>Index of ")
        page.append(title)
        page.append("</title>\n<style>\n")
        page.append(Self.style)
        page.append("</style>\n</head>\n<body>\n<main>\n<h1>Index of ")
        page.append(title)
        page.append("</h1>\n<table>\n<thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Size</th>")
        page.append("<th scope=\"col\">Modified (UTC)</th></tr></thead>\n<tbody>\n")
        if !self.path.bytes.isEmpty { page.append("<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n") }
        for entry in entries { Self.writeRow(entry, to: &page) }
        page.append("</tbody>\n</table>\n")
        if entries.isEmpty { page.append("<p>Nothing is here.</p>\n") }
        if isCut { page.append("<p>There are more entries than are shown.</p>\n") }
        page.append("</main>\n</body>\n</html>\n")
    }

    private static let style: StaticString = """
        :root { color-scheme: light dark; --line: #8884; --link: light-dark(#0550ae, #79b8ff); }
        body { font: 16px/1.5 system-ui, sans-serif; margin: 0; padding: 1.5rem; }
        main { max-width: 60rem; margin: 0 auto; }
        h1 { font-size: 1.25rem; overflow-wrap: anywhere; }
        table { width: 100%; border-collapse: collapse; }
        th, td { text-align: left; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); }
        th:nth-child(2), td:nth-child(2) { text-align: right; }
        td:nth-child(n+2) { white-space: nowrap; font-variant-numeric: tabular-nums; }
        td:first-child { overflow-wrap: anywhere; }
        a { color: var(--link); text-decoration: none; }
        a:hover, a:focus { text-decoration: underline; }

        """

    private static func writeRow(_ entry: Entry, to page: inout ByteQueue) {
        let slash = entry.isDirectory ? "/" : ""
        // `./`, because a name may have a colon and look like a scheme.
        page.append("<tr><td><a href=\"./\(percentEncoded(entry.name))\(slash)\">")
        page.append("\(escaped(entry.name))\(slash)</a></td><td>")
        page.append(entry.isDirectory ? "" : size(entry.size))
        page.append("</td><td>\(moment(entry.modified, separator: " ").dropLast(4))</td></tr>\n")
    }

    /// `1.4 MiB`.
    private static func size(_ bytes: Int) -> String {
        if bytes < 1024 { return "\(bytes) B" }
        var value = bytes
        var rest = 0
        var unit = -1
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        while value >= 1024 {
            rest = value % 1024
            value /= 1024
            unit += 1
        }
        return value >= 10 ? "\(value) \(units[unit])" : "\(value).\(rest * 10 / 1024) \(units[unit])"
    }

    // MARK: JSON

    func writeJSON(to text: inout ByteQueue) {
        text.append("[")
        for (index, entry) in entries.enumerated() {
            text.append(index == 0 ? "\n" : ",\n")
            text.append("{\"name\": \"\(Self.quoted(entry.name))\", \"type\": \"\(entry.isDirectory ? "directory" : "file")\", ")
            text.append("\"modified\": \"\(Self.moment(entry.modified, separator: "T"))\"")
            text.append(entry.isDirectory ? "}" : ", \"size\": \(entry.size)}")
        }
        text.append("\n]\n")
    }

    // MARK: Escaping

    /// RFC 3339, in UTC.
    private static func moment(_ seconds: Int64, separator: String) -> String {
        let time = CivilTime(unixSeconds: seconds)
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(time.year)-\(two(time.month))-\(two(time.day))\(separator)\(two(time.hour)):\(two(time.minute)):\(two(time.second))Z"
    }

    /// For text and quoted attributes of HTML.
    static func escaped(_ bytes: some Sequence<UInt8>) -> String {
        var text = ""
        for character in String(decoding: Array(bytes), as: UTF8.self).unicodeScalars {
            switch character {
            // Control characters, and those that turn the direction of what follows, have no place in a list.
            case "\u{0}"..<"\u{20}", "\u{7F}"..<"\u{A0}", "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}": text += "\u{FFFD}"
            default: HTMLText.append(character, to: &text)
            }
        }
        return text
    }

    /// For a segment of a path: all but unreserved characters (RFC 3986 section 2.3).
    static func percentEncoded(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                text.append(byte)
            default: text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// For a string of JSON (RFC 8259 section 7).
    static func quoted(_ bytes: [UInt8]) -> String {
        var text = ""
        for character in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            switch character {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\u{0}"..<"\u{20}":
                let hex = String(character.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }

    private static func decoded(_ path: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(path.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
