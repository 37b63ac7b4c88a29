import Foundation

@testable import BenchmarkHarness

extension Environment {
    /// The executables that `swift build` puts beside the tests, the peers where they are built, and the reactor of the
    /// repository where it is: what the tests are run on, or else what is measured.
    static var ofThisPackage: Environment {
        let directory = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        func path(_ name: String) -> String { directory.appending(path: name).path() }
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let built = ["debug", "release"].map { package.deletingLastPathComponent().path() + ".build/\($0)/reactor" }
        return Environment(
            executables: Executables(
                reactor: built.first { access($0, X_OK) == 0 } ?? "", floor: path("floor"), load: path("load"),
                peers: package.path() + "Peers/.build/release", peerPackage: package.path() + "Peers",
                material: Material(directory: path("material"))))
    }
}

extension Subject {
    /// A server of a test's own, which a shell runs.
    static func shell(_ name: String, _ script: String) -> Subject {
        Subject(name: name, summary: "", command: { _, _, _ in ["sh", "-c", script] })
    }
}
