/// Text in HTML: between tags, or as a quoted attribute's value.
package enum HTMLText {
    package static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars { append(character, to: &result) }
        return result
    }

    static func append(_ character: Unicode.Scalar, to text: inout String) {
        switch character {
        case "&": text += "&amp;"
        case "<": text += "&lt;"
        case ">": text += "&gt;"
        case "\"": text += "&quot;"
        case "'": text += "&#39;"
        default: text.unicodeScalars.append(character)
        }
    }
}
