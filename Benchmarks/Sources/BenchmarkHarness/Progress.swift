import Foundation

/// What is being measured, on standard error: one line that is overwritten on a terminal, plain lines elsewhere.
package struct Progress {
    private let isTerminal = isatty(2) == 1
    private let total: Int
    private let began = ContinuousClock.now

    package init(total: Int) { self.total = total }

    package func starting(_ done: Int, _ what: String) {
        let line = "[\(done + 1)/\(total)] \(what)"
        guard isTerminal else { return note(line) }
        StandardError.write("\r\u{1B}[K\(line)\(timeLeft(done))")
    }

    /// A line that stays.
    package func note(_ text: String) {
        clear()
        StandardError.write(text + "\n")
    }

    /// Removes the line that was overwritten so far.
    package func clear() { if isTerminal { StandardError.write("\r\u{1B}[K") } }

    private func timeLeft(_ done: Int) -> String {
        guard done > 0 else { return "" }
        let seconds = (ContinuousClock.now - began).components.seconds * Int64(total - done) / Int64(done)
        return seconds < 60 ? ", \(seconds) s left" : ", \(seconds / 60) min \(seconds % 60) s left"
    }
}

package enum StandardError {
    package static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
