import Foundation
import Testing

/// What reviewers would otherwise have to look for.
@Suite struct StyleTests {
    /// Each place that opts out of the compiler's checks for data races, and why it may.
    private static let unchecked: [String: String] = [
        "Sources/ReactorWire/ByteQueue.swift":
            "the address that an empty queue lends: allocated once, never written, never read",
        "Sources/ReactorWire/SharedBytes.swift":
            "memory that is written by the initialiser alone and freed with its object",
        "Sources/ReactorTLS/SSLContext.swift":
            "an SSL_CTX, which OpenSSL lets threads share: set up by one, then only read, and freed with its object",
        "Sources/ReactorTLS/SSLSession.swift":
            "an SSL_SESSION, which OpenSSL lets threads share: not changed once it is made, and freed with its object",
        "Sources/ReactorTLS/Publication.swift":
            "a counter in memory that processes share: atomic, and given back with its object",
        "Tests/ReactorTLSTests/PKI.swift":
            "certificates and keys of tests: made once, then only read",
        "Tests/TestSupport/ServerProcess.swift":
            "Foundation's Process is configured once and then only asked and signalled",
    ]

    @Test func everyEscapeFromTheRaceChecksIsReviewed() {
        let files = (Sources.swift(under: "Sources") + Sources.swift(under: "Tests"))
            .filter { !$0.path.hasPrefix("Tests/TidyTests/") }
        let found = files.filter { file in
            file.lines.contains { $0.contains("@unchecked Sendable") || $0.contains("nonisolated(unsafe)") }
        }
        #expect(Set(found.map(\.path)) == Set(Self.unchecked.keys))
    }

    @Test(arguments: Sources.swift(under: "Sources"))
    func noPeerCanTrapTheProcess(_ file: Sources.File) {
        for (index, line) in file.lines.enumerated() {
            let code = line.components(separatedBy: "//")[0]
            for trap in ["try!", " as! ", "unsafelyUnwrapped", "fatalError("] where code.contains(trap) {
                // Running out of memory is the one thing that no peer's reply can answer.
                let reviewed = file.path == "Sources/ReactorWire/ByteQueue.swift"
                #expect(reviewed, "\(file.path):\(index + 1): \(trap)")
            }
        }
    }

    @Test(arguments: Sources.swift(under: "Sources") + Sources.swift(under: "Tests"))
    func aFileIsOneSitting(_ file: Sources.File) {
        #expect(file.lines.count <= 500, "\(file.path) has \(file.lines.count) lines")
        for (index, line) in file.lines.enumerated() {
            let columns = file.path.hasPrefix("Sources/") ? 140 : 200
            #expect(line.count <= columns, "\(file.path):\(index + 1) has \(line.count) columns")
            #expect(!line.contains("\t") && !(line.last?.isWhitespace ?? false), "\(file.path):\(index + 1): white space")
        }
    }
}
