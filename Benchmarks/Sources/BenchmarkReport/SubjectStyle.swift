/// How a subject looks in every figure. Colour tells it apart for those who see colours, marker and line for the others and on
/// paper: no two subjects of a report have the same colour and marker.
package struct SubjectStyle: Encodable, Sendable, Equatable {
    /// `1` to `8`: one of the page's colours, which depend on light and dark.
    let colour: Int
    /// As matplotlib names it.
    let marker: String
    /// Lengths of dashes and gaps; empty is a solid line.
    let dash: [Double]

    private static let known: [String: SubjectStyle] = [
        "reactor": .init(colour: 1, marker: "o", dash: []),
        "reactor-again": .init(colour: 1, marker: "x", dash: [1, 1.5]),
        "reactor-2-loops": .init(colour: 1, marker: "D", dash: [5, 2]),
        "reactor-offload": .init(colour: 1, marker: "P", dash: [5, 1.5, 1, 1.5]),
        "thread": .init(colour: 2, marker: "s", dash: []),
        "thread-pool": .init(colour: 2, marker: "D", dash: [5, 2]),
        "fork": .init(colour: 3, marker: "^", dash: []),
        "prefork": .init(colour: 3, marker: "v", dash: [5, 2]),
        "iterative": .init(colour: 4, marker: "X", dash: [1, 1.5]),
        "floor": .init(colour: 8, marker: "*", dash: [2, 1]),
        "nginx": .init(colour: 5, marker: "h", dash: []),
        "nio": .init(colour: 6, marker: "p", dash: []),
        "hummingbird": .init(colour: 6, marker: "d", dash: [5, 2]),
        "h2o": .init(colour: 5, marker: "8", dash: [5, 2]),
        "postfix": .init(colour: 7, marker: "H", dash: []),
    ]
    private static let markers = ["<", ">", "P", "d", "8", "h", "p", "H", "X", "v", "^", "s", "D", "o", "*"]
    private static let dashes: [[Double]] = [[3, 1], [1, 1], [6, 1, 1, 1], [8, 2], [4, 1, 1, 1, 1, 1]]

    /// The order of subjects everywhere.
    private static let order = [
        "reactor", "reactor-again", "reactor-2-loops", "reactor-offload", "thread", "thread-pool", "fork", "prefork", "iterative",
    ]
    package static func rank(_ subject: String) -> Int {
        if isReference(subject) { return order.count + 2 }
        return order.firstIndex(of: subject) ?? (subject.hasPrefix("reactor") ? order.count : order.count + 1)
    }

    /// Not a choice that one has, but what the others are measured by.
    package static func isReference(_ subject: String) -> Bool { subject == "floor" || subject == "floor-one-by-one" }

    /// One of this repository's, as opposed to other people's servers.
    static func isOurs(_ subject: String) -> Bool { isReference(subject) || order.contains(subject) || subject.hasPrefix("reactor") }

    /// Styles for all subjects of a report: what isn't known by name gets one that nobody has.
    package static func assigned(to subjects: [String]) -> [String: SubjectStyle] {
        var styles: [String: SubjectStyle] = [:]
        var taken = Set(known.values.map { Pair(colour: $0.colour, marker: $0.marker) })
        var next = 0
        for subject in subjects.uniqued() {
            if let style = known[subject] {
                styles[subject] = style
                continue
            }
            var style: SubjectStyle
            repeat {
                let colour = [7, 4, 5, 6, 2, 3, 1][next % 7]
                style = SubjectStyle(
                    colour: colour, marker: markers[(next / 7 + next) % markers.count], dash: dashes[next % dashes.count])
                next += 1
            } while !taken.insert(Pair(colour: style.colour, marker: style.marker)).inserted && next < 1000
            styles[subject] = style
        }
        return styles
    }

    private struct Pair: Hashable { let colour: Int, marker: String }
}
