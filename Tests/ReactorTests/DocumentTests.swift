import Foundation
import Testing

/// The Swift code in the README and the guides compiles. A document's pieces are one program, in their order.
@Suite struct DocumentTests {
    private static let guides = "docs/guides"

    static let documents: [String] = {
        let names = try? FileManager.default.contentsOfDirectory(atPath: packageRoot.appending(path: guides).path)
        return ["README.md"] + (names ?? []).filter { $0.hasSuffix(".md") }.sorted().map { "\(guides)/\($0)" }
    }()

    @Test func thereIsAGuide() { #expect(Self.documents.count > 1) }

    @Test(arguments: documents)
    func whatADocumentShowsCompiles(_ document: String) throws {
        let text = try String(contentsOf: packageRoot.appending(path: document), encoding: .utf8)
        let code = code(in: text)
        try #require(code.contains("import "))
        // The README's code runs as it stands; the guides declare.
        let result = try compile(code, document.hasPrefix(Self.guides) ? ["-parse-as-library"] : [])
        #expect(result.status == 0, "\(result.errors)")
    }

    /// The pieces marked as Swift, with an empty line for every other, so that errors have the document's line numbers.
    private func code(in document: String) -> String {
        var isCode = false
        return document.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            if line.hasPrefix("```") {
                isCode = line == "```swift"
                return ""
            }
            return isCode ? String(line) : ""
        }.joined(separator: "\n")
    }
}
