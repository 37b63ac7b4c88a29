/// Fields gathered by their names: `a=1&a=2&b[c]=3` is a node with two children, `a` with two values and `b` with a
/// child. Built in one pass, so that a form of many fields costs what it is long.
final class FormNode {
    private(set) var values: [String] = []
    private(set) var children: [String: FormNode] = [:]

    init() {}

    convenience init(_ fields: FormFields, limits: FormLimits) throws(FormViolation) {
        self.init()
        for field in fields.all {
            var node = self
            let path = try Self.path(field.name, limits)
            for (depth, name) in path.enumerated() {
                // `a[]` is how PHP wants an array named: the same as `a` repeated.
                if name.isEmpty, depth > 0, depth == path.count - 1 { continue }
                node = node.child(name)
            }
            node.values.append(field.value)
        }
    }

    private func child(_ name: Substring) -> FormNode {
        let name = String(name)
        if let child = children[name] { return child }
        let child = FormNode()
        children[name] = child
        return child
    }

    /// `a[b][c]` as `a`, `b`, `c`. A name that begins with a bracket is no path.
    private static func path(_ name: String, _ limits: FormLimits) throws(FormViolation) -> [Substring] {
        let text = name[...]
        guard let first = text.utf8.firstIndex(of: UInt8(ascii: "[")), first != text.startIndex else { return [text] }
        var path = [text[..<first]]
        var rest = text[first...]
        while !rest.isEmpty {
            guard rest.utf8.first == UInt8(ascii: "["), let end = rest.utf8.firstIndex(of: UInt8(ascii: "]")) else {
                throw .malformedName
            }
            if path.count == limits.depth { throw .nestedTooDeeply }
            path.append(rest[rest.utf8.index(after: rest.startIndex)..<end])
            rest = rest[rest.utf8.index(after: end)...]
        }
        return path
    }

    /// What an array decodes: the values of a name that is repeated, or else the children `[0]`, `[1]` … in the order of
    /// their numbers, which need not be dense.
    var elements: [FormNode] {
        if !values.isEmpty {
            return values.map { value in
                let node = FormNode()
                node.values = [value]
                return node
            }
        }
        let numbered = children.compactMap { name, node in UInt32(name).map { (number: $0, node: node) } }
        return numbered.sorted { $0.number < $1.number }.map(\.node)
    }
}
