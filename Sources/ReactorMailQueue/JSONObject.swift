/// Writes a JSON object (RFC 8259) whose text is safe on a terminal: everything that is no plain character is escaped.
package struct JSONObject {
    private var members = "{"
    package var text: String { members + "}" }

    package mutating func add(_ name: String, _ value: String?) {
        begin(name)
        if let value { Self.append(value, to: &members) } else { members += "null" }
    }

    package mutating func add(_ name: String, _ value: Int) {
        begin(name)
        members += String(value)
    }

    package mutating func add(_ name: String, _ value: Bool) {
        begin(name)
        members += value ? "true" : "false"
    }

    package init() {}

    /// - Parameter array: elements that are JSON.
    package mutating func add(_ name: String, array: [String]) {
        begin(name)
        members += "[" + array.joined(separator: ",") + "]"
    }

    /// - Parameter object: is JSON.
    package mutating func add(_ name: String, object: String) {
        begin(name)
        members += object
    }

    /// Names are our own: nothing in them is to be escaped.
    private mutating func begin(_ name: String) {
        members += members.utf8.count > 1 ? ",\"" : "\""
        members += name
        members += "\":"
    }

    private static func append(_ text: String, to json: inout String) {
        json += "\""
        if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            json += text
        } else {
            for scalar in text.unicodeScalars { append(scalar, to: &json) }
        }
        json += "\""
    }

    private static func append(_ scalar: Unicode.Scalar, to json: inout String) {
        switch scalar {
        case "\"", "\\": json += "\\" + String(scalar)
        case _ where scalar.isPlain: json.unicodeScalars.append(scalar)
        default:
            for unit in String(scalar).utf16 {
                let digits = String(unit, radix: 16)
                json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
    }
}

extension Unicode.Scalar {
    /// Neither a control nor something that moves what stands around it: what a peer sent is harmless to look at.
    var isPlain: Bool {
        if value >= 0x20, value < 0x7F { return true }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return false
        default: return true
        }
    }
}

extension String {
    /// What peers sent, fit for a terminal: other characters than plain ones as `\u{…}`.
    ///
    /// - Parameter lines: keeps line ends and tabs.
    public func printable(lines: Bool = false) -> String {
        if utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return self }
        var text = ""
        for scalar in unicodeScalars {
            if scalar.isPlain || (lines && (scalar == "\n" || scalar == "\t")) {
                text.unicodeScalars.append(scalar)
            } else if !(lines && scalar == "\r") {
                text += "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return text
    }
}
