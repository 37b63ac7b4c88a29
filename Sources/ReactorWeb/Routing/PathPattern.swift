/// The path of a route: segments between slashes, each a literal, `{name}` for any one segment that is not empty, or, as
/// the last, `{name...}` for the rest of the path, of whatever length.
struct PathPattern: Sendable {
    enum Segment: Hashable, Sendable {
        /// Without percent-encoding.
        case literal([UInt8])
        case parameter
        case rest
    }

    let text: String
    let segments: [Segment]
    /// Of its parameters, in their order.
    let names: [String]

    /// More would not fit where a match keeps them, on the stack.
    static let mostParameters = 16

    /// - Precondition: `text` is a pattern. What is wrong with it is in the message.
    init(_ text: String) {
        precondition(text.first == "/", "the path of a route begins with a slash: \(text)")
        self.text = text
        var (segments, names): ([Segment], [String]) = ([], [])
        for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            precondition(segments.last != .rest, "nothing stands behind the rest of a path: \(text)")
            guard part.first == "{" else {
                precondition(!part.contains("{") && !part.contains("}"), "a parameter is a whole segment: \(text)")
                segments.append(.literal(Array(part.utf8)))
                continue
            }
            precondition(part.last == "}", "a parameter is a whole segment: \(text)")
            var name = part.dropFirst().dropLast()
            let isRest = name.hasSuffix("...")
            if isRest { name = name.dropLast(3) }
            precondition(!name.isEmpty && !names.contains(String(name)), "parameters have names of their own: \(text)")
            names.append(String(name))
            segments.append(isRest ? .rest : .parameter)
        }
        precondition(names.count <= Self.mostParameters, "a route has \(Self.mostParameters) parameters at most: \(text)")
        (self.segments, self.names) = (segments, names)
    }
}
