import Foundation
import FuzzTargets
import ReactorWire
import Testing

/// Every input that fuzzing was begun with, or that it found and somebody kept, once through its target.
@Suite struct CorpusTests {
    static let corpora = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fuzzing/Corpora")

    @Test(arguments: FuzzTarget.all.map(\.name))
    func everyKeptInputIsTaken(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let files = try FileManager.default.contentsOfDirectory(at: Self.corpora.appending(path: name), includingPropertiesForKeys: nil)
        #expect(files.count > 5, "a corpus that begins with nothing finds little")
        // A failure ends the process: what it was at is printed before.
        for file in files.sorted(by: { $0.path < $1.path }) {
            let input = [UInt8](try Data(contentsOf: file))
            print("fuzz \(name) \(file.lastPathComponent)")
            target.run(input.span.bytes)
        }
    }

    @Test func everyCorpusHasATarget() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.corpora.path)
        #expect(Set(folders) == Set(FuzzTarget.all.map(\.name)))
    }
}
