/// The names that a mistyped one may stand for, best first: at most three.
package func nearestNames(to name: String, in names: [String]) -> [String] {
    let ranked = names.map { (name: $0, distance: editDistance(name.lowercased(), $0.lowercased())) }
    let close = ranked.filter { $0.distance <= max(2, name.count / 2) || $0.name.hasPrefix(name) }
    return close.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
}

/// Levenshtein's: insertions, deletions and replacements that turn one into the other.
func editDistance(_ from: String, _ to: String) -> Int {
    let to = Array(to)
    var row = Array(0...to.count)
    for (i, character) in from.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for j in to.indices {
            let replaced = diagonal + (character == to[j] ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
        }
    }
    return row[to.count]
}
