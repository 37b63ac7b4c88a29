import BenchmarkHarness
import Foundation

/// Where the executables are that are measured.
enum Locations {
    /// - Parameter reactor: as given by `--reactor`, or nil to look in the repository that `bench` was built in or is
    ///   run in.
    /// - Throws: ``Failure`` that says how to build what is missing.
    static func executables(reactor: String?, subjects: [Subject]) throws(Failure) -> Executables {
        let built = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let (floor, load) = (built.appending(path: "floor").path(), built.appending(path: "load").path())
        for executable in [floor, load] where !isExecutable(executable) {
            throw Failure("\(executable) is missing: swift build -c release --package-path Benchmarks")
        }
        let release = ".build/release/reactor"
        let candidates = reactor.map { [$0] } ?? [release, "../" + release] + repository(of: built).map { $0 + release }
        let found = candidates.first(where: isExecutable)
        guard found != nil || !subjects.contains(where: \.isReactor) else {
            throw Failure(
                reactor.map { "\($0) is no executable: give --reactor the path of the built `reactor`" }
                    ?? "no \(release) here: swift build -c release --product reactor, or name it with --reactor PATH")
        }
        let repository = repository(of: built).first ?? ""
        return Executables(
            reactor: found ?? release, floor: floor, load: load, peers: repository + "Benchmarks/Peers/.build/release",
            heads: repository + "Tests/ParserLoad/Requests",
            peerPackage: repository + "Benchmarks/Peers",
            material: Material(directory: "/var/tmp/bench-material-\(getuid())"))
    }

    /// A file for the results of one suite, in the directory of all.
    static func newResultFile(commit: String?) throws(Failure) -> String {
        let built = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let directory = (repository(of: built).first.map { $0 + "Benchmarks/" } ?? "") + "results"
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw Failure("cannot make \(directory): \(error.localizedDescription)")
        }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.dateFormat = "yyyy-MM-dd-HHmmss"
        let source = (commit ?? "unknown").replacing(" with changes", with: "-changed")
        return "\(directory)/\(format.string(from: Date()))-\(source).jsonl"
    }

    /// The directory above the `Benchmarks` package that holds `directory`.
    private static func repository(of directory: URL) -> [String] {
        var directory = directory
        while directory.pathComponents.count > 1 {
            let parent = directory.deletingLastPathComponent()
            if directory.lastPathComponent == ".build" { return [parent.deletingLastPathComponent().path() + "/"] }
            directory = parent
        }
        return []
    }

    private static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }
}
