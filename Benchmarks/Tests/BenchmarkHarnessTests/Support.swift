import Foundation

@testable import BenchmarkHarness

extension Environment {
    /// The executables that `swift build` puts beside the tests; no reactor.
    static var ofThisPackage: Environment {
        let directory = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        func path(_ name: String) -> String { directory.appending(path: name).path() }
        return Environment(executables: Executables(
                reactor: "", floor: path("floor"), load: path("load"), material: Material(directory: path("material"))))
    }
}
