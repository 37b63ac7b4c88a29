import ReactorWeb

/// A text with places to fill. What goes into `{{name}}` is escaped for HTML, what goes into `{{{name}}}` is markup already.
struct Template: Sendable {
    private enum Piece {
        case text(String)
        case value(String)
        case markup(String)
    }

    private let pieces: [Piece]

    init(_ text: String) {
        var pieces: [Piece] = []
        for (index, part) in text.split(separator: "{{", omittingEmptySubsequences: false).enumerated() {
            let sides = part.split(separator: "}}", maxSplits: 1, omittingEmptySubsequences: false)
            guard index > 0, sides.count == 2 else {
                pieces.append(.text((index > 0 ? "{{" : "") + part))
                continue
            }
            if sides[0].first == "{" {
                pieces.append(.markup(String(sides[0].dropFirst())))
                pieces.append(.text(String(sides[1].dropFirst())))
            } else {
                pieces.append(.value(String(sides[0])))
                pieces.append(.text(String(sides[1])))
            }
        }
        self.pieces = pieces
    }

    /// The names of its places.
    var names: Set<String> {
        Set(
            pieces.compactMap { piece in
                switch piece {
                case .text: nil
                case .value(let name), .markup(let name): name
                }
            })
    }

    /// A place without a value stays empty.
    func filled(_ values: [String: String]) -> String {
        var text = ""
        for piece in pieces {
            switch piece {
            case .text(let piece): text += piece
            case .value(let name): text += HTMLText.escaped(values[name, default: ""])
            case .markup(let name): text += values[name, default: ""]
            }
        }
        return text
    }
}
