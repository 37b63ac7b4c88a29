import Glibc

/// Why something could not be measured, in one line that says what to do about it where something can be done.
package struct Failure: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

extension Failure {
    /// A system call failed with this `errno`.
    init(_ what: String, errno number: Int32) {
        self.init("\(what): \(String(cString: strerror(number)))")
    }
}

extension String {
    /// The last lines of a log, on one line, for the end of an error message.
    var oneLine: String {
        let lines = split(whereSeparator: \.isNewline).suffix(3)
        return lines.isEmpty ? "nothing" : lines.joined(separator: " | ")
    }
}
