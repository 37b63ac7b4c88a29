import Foundation

/// What is being measured, on standard error: one line with a bar that is overwritten on a terminal, plain lines elsewhere.
/// It is for a whole suite: what is left is reckoned from how long each run should take, and how long those did that are
/// over.
package final class SuiteProgress {
    private let isTerminal: Bool
    private let total: Int
    private let expected: Double
    private var done = 0
    /// Seconds that what is over should have taken, and did; of runs that were made, and of all.
    private var (shouldHave, took, passed) = (0.0, 0.0, 0.0)
    private var current: (expected: Double, began: ContinuousClock.Instant)?

    /// - Parameters:
    ///   - total: how many runs there are.
    ///   - expected: seconds that they should take together.
    package init(total: Int, expected: Double, isTerminal: Bool = isatty(2) == 1) {
        self.total = total
        self.expected = expected
        self.isTerminal = isTerminal
    }

    /// The run before is over, and this one begins.
    ///
    /// - Parameter isKnown: it need not be made.
    package func starting(_ what: String, expected seconds: Double, isKnown: Bool = false) {
        finish()
        if isKnown {
            done += 1
            passed += seconds
            return
        }
        current = (seconds, .now)
        guard isTerminal else { return note("[\(done + 1)/\(total)] \(what)") }
        StandardError.write("\r\u{1B}[K\(bar) \(done + 1)/\(total) \(what), \(Self.text(left)) left")
    }

    private func finish() {
        guard let (expected, began) = current else { return }
        current = nil
        done += 1
        passed += expected
        shouldHave += expected
        took += (ContinuousClock.now - began) / .seconds(1)
    }

    private var share: Double { expected > 0 ? min(1, passed / expected) : 0 }

    var bar: String {
        let full = Int(share * 20)
        return "[" + String(repeating: "#", count: full) + String(repeating: "·", count: 20 - full) + "]"
    }

    /// Seconds.
    private var left: Double { max(0, expected - passed) * (shouldHave > 0 ? took / shouldHave : 1) }

    static func text(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        return whole < 60 ? "\(whole) s" : "\(whole / 60) min \(whole % 60) s"
    }

    /// A line that stays.
    package func note(_ text: String) {
        clear()
        StandardError.write(text + "\n")
    }

    /// Removes the line that was overwritten so far.
    package func clear() { if isTerminal { StandardError.write("\r\u{1B}[K") } }
}

package enum StandardError {
    package static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
