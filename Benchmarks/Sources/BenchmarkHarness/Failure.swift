import Glibc

/// Why something could not be measured, in one line that says what to do about it where something can be done.
package struct Failure: Error, CustomStringConvertible {
    package let description: String
    /// All that the program printed which is to blame, where there is one.
    package var log: String?
    /// Nothing went wrong: it was not tried.
    package private(set) var isLeftOut = false
    package init(_ description: String, log: String? = nil) {
        self.description = description
        self.log = log
    }
}

extension Failure {
    private static let leftOut = "left out: "

    package static func leftOut(_ reason: String) -> Failure {
        var failure = Failure(leftOut + reason)
        failure.isLeftOut = true
        return failure
    }

    /// As results hold it.
    init(recorded text: String) {
        self.init(text)
        isLeftOut = text.hasPrefix(Self.leftOut)
    }
}

extension ChildProcess {
    /// Something that went wrong with this program, and the last that it printed.
    borrowing func failure(_ reason: String) -> Failure {
        let printed = printed()
        return Failure("\(reason); it printed: \(printed.oneLine)", log: printed)
    }
}

extension Failure {
    /// A system call failed with this `errno`.
    init(_ what: String, errno number: Int32) {
        self.init("\(what): \(String(cString: strerror(number)))")
    }
}

extension Failure {
    /// A server found the port in use that it was given.
    var saysPortIsTaken: Bool { (log ?? "").contains("ddress already in use") }
}

extension String {
    /// The last lines of a log, on one line, for the end of an error message.
    var oneLine: String {
        let lines = split(whereSeparator: \.isNewline).suffix(3).map { $0.count > 300 ? String($0.prefix(300)) + "…" : String($0) }
        return lines.isEmpty ? "nothing" : lines.joined(separator: " | ")
    }
}
