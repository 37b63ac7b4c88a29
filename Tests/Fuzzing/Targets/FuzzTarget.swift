import ReactorWire

/// What takes bytes from a peer and must hold for all of them: one function each, which traps where it doesn't.
package struct FuzzTarget: Sendable {
    /// Also of its folder in `Corpora`.
    package let name: String
    package let run: @Sendable (RawSpan) -> Void

    package static let all: [FuzzTarget] = [requests, chunked, multipart, cookies, ranges, router, replies]

    package static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// Two ways to the same result have met different ones: what libFuzzer and the tests see as a crash.
func expectEqual<Value: Equatable>(_ one: Value, _ other: Value, _ what: String) {
    precondition(one == other, "\(what): \(one) is not \(other)")
}

extension RawSpan {
    var bytes: [UInt8] { withUnsafeBytes { Array($0) } }
}
