import CBenchSystem
import Foundation
import Glibc

/// What the results depend on besides the subjects; recorded with every run.
package struct Machine: Codable, Sendable {
    package let kernel: String
    package let cpu: String
    package let cpus: Int
    package let serverCPU: Int?
    package let loadCPU: Int?
    /// Processes that wanted to run in the minute before the first run: what the machine was doing besides.
    package let loadBefore: Double
    /// Of TCP, here where the harness runs. BBR sends by a clock, whose work the kernel charges to whoever is on the CPU then.
    package let congestionControl: String?
    /// What mail relays keep their messages on.
    package let spoolFileSystem: String
    /// Versions of what took part, by name.
    package let versions: [String: String]
    /// Of the directory that the reactor executable lies in; nil outside a repository.
    package let commit: String?

    package init(_ environment: Environment, wrk: String?, subjects: [Subject]) {
        var name = utsname()
        uname(&name)
        kernel = "\(Self.text(name.sysname)) \(Self.text(name.release)) \(Self.text(name.machine))"
        cpu = readText("/proc/cpuinfo").flatMap(Self.cpuModel) ?? "unknown CPU"
        cpus = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        serverCPU = environment.serverCPU
        loadCPU = environment.loadCPU
        var load = 0.0
        loadBefore = getloadavg(&load, 1) == 1 ? load : -1
        congestionControl = readText("/proc/sys/net/ipv4/tcp_congestion_control")?.trimmingCharacters(in: .whitespacesAndNewlines)
        spoolFileSystem = SpoolDirectory.fileSystem
        commit = Self.commit(of: environment.executables.reactor)
        var versions: [String: String] = [:]
        versions["wrk"] = wrk
        versions["openssl"] = String(cString: bench_tls_version())
        versions["libev"] = Self.lastWord(["\(environment.executables.floor)", "--version"])
        if SystemCalls.isInstalled { versions["strace"] = Self.version(ChildProcess.output(of: ["strace", "-V"])) }
        versions["swift"] = Self.swiftVersion()
        self.versions = versions.merging(Self.versions(of: subjects, environment.executables)) { $1 }
    }

    /// Of those that are not ours, as their programs, Debian, or the package of the peers tell.
    private static func versions(of subjects: [Subject], _ executables: Executables) -> [String: String] {
        let names = Set(subjects.map(\.name))
        func takesPart(_ subjects: Subject...) -> Bool { subjects.contains { names.contains($0.name) } }
        func python(_ module: String) -> String? {
            version(ChildProcess.output(of: ["/usr/bin/python3", "-c", "import importlib.metadata as m; print(m.version('\(module)'))"]))
        }
        var versions: [String: String] = [:]
        if takesPart(.nginx) { versions["nginx"] = lastWord(["nginx", "-v"]) }
        if takesPart(.h2o) { versions["h2o"] = version(ChildProcess.output(of: ["h2o", "-v"])) }
        if Subject.apaches.contains(where: { takesPart($0) }) {
            versions["apache2"] = version(ChildProcess.output(of: ["apache2", "-v"]))
        }
        if takesPart(.twisted, .pythonThreads, .aiosmtpd) { versions["python3"] = lastWord(["/usr/bin/python3", "--version"]) }
        if takesPart(.twisted) { versions["twisted"] = python("twisted") }
        if takesPart(.aiosmtpd) { versions["aiosmtpd"] = python("aiosmtpd") }
        if takesPart(.jsonRPC) {
            versions["libjsonrpccpp"] = version(ChildProcess.output(of: ["dpkg-query", "-W", "-f", "${Version}", "libjsonrpccpp-dev"]))
        }
        let manifest = (try? String(contentsOfFile: executables.peerManifest, encoding: .utf8)) ?? ""
        if takesPart(.nio, .hummingbird) { versions["swift-nio"] = exactVersion(of: "swift-nio", in: manifest) }
        if takesPart(.hummingbird) { versions["hummingbird"] = exactVersion(of: "hummingbird", in: manifest) }
        if subjects.contains(where: { $0.name == Subject.postfix.name || $0.isSink }) {
            versions["postfix"] = lastWord(["/usr/sbin/postconf", "-d", "mail_version"])
        }
        return versions
    }

    /// The first in a text, such as 2.4.66 of "Server version: Apache/2.4.66 (Debian)".
    static func version(_ text: String?) -> String? {
        text?.split { $0.isWhitespace || $0 == "/" }.first { $0.first?.isNumber == true && $0.contains(".") }.map(String.init)
    }

    /// What a package's manifest has of another as `exact`.
    static func exactVersion(of package: String, in manifest: String) -> String? {
        guard let line = manifest.split(separator: "\n").first(where: { $0.contains("/\(package)\"") }),
            let exact = line.range(of: "exact: \"")
        else { return nil }
        return String(line[exact.upperBound...].prefix { $0 != "\"" })
    }

    /// Two lines for the head of a report.
    package var description: String {
        var placement = "one CPU, shared by server and load: compare nothing but CPU time"
        if let serverCPU, let loadCPU { placement = "servers on CPU \(serverCPU), load on CPU \(loadCPU)" }
        let parts = versions.sorted(by: <).map { "\($0) \($1)" } + ["commit \(commit ?? "unknown")"]
        return """
            \(kernel); \(cpu), \(cpus) CPUs, load before \(Format.cost(loadBefore)), TCP \(congestionControl ?? "unknown"); \(placement)
            \(parts.joined(separator: "; "))
            """
    }

    /// What another machine, or the same at another time, has otherwise, so that results of both cannot be compared.
    package func differences(from other: Machine) -> [String] {
        func different<Value: Equatable>(_ name: String, _ one: Value?, _ two: Value?) -> String? {
            func text(_ value: Value?) -> String { value.map { "\($0)" } ?? "unknown" }
            return one == two ? nil : "\(name): \(text(one)), not \(text(two))"
        }
        return [
            different("CPU", cpu, other.cpu), different("CPUs", cpus, other.cpus), different("kernel", kernel, other.kernel),
            different("the servers' CPU", serverCPU, other.serverCPU), different("the load's CPU", loadCPU, other.loadCPU),
            different("TCP", congestionControl, other.congestionControl),
        ].compactMap { $0 }
    }

    /// Programs and libraries that both know, in another version.
    package func versionDifferences(from other: Machine) -> [String] {
        versions.sorted(by: <).compactMap { name, version in
            other.versions[name].flatMap { $0 == version ? nil : "\(name): \(version), not \($0)" }
        }
    }

    private static func text<Field>(_ field: Field) -> String {
        withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    static func cpuModel(_ cpuinfo: String) -> String? {
        for line in cpuinfo.split(separator: "\n") where line.hasPrefix("model name") {
            return line.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
        }
        return nil
    }

    private static func commit(of executable: String) -> String? {
        let directory = URL(filePath: executable).resolvingSymlinksInPath().deletingLastPathComponent().path()
        let git = ["git", "-C", directory]
        guard let commit = ChildProcess.output(of: git + ["rev-parse", "--short", "HEAD"]), !commit.hasPrefix("fatal")
        else { return nil }
        let changes = ChildProcess.output(of: git + ["status", "--porcelain", "--untracked-files=no"]) ?? ""
        return commit.trimmingCharacters(in: .whitespacesAndNewlines) + (changes.isEmpty ? "" : " with changes")
    }

    private static func lastWord(_ command: [String]) -> String? {
        ChildProcess.output(of: command)?.split(whereSeparator: \.isWhitespace).last.map(String.init)
    }

    /// Of the toolchain that is installed, which built what was just built.
    private static func swiftVersion() -> String? {
        let words = ChildProcess.output(of: ["swift", "--version"])?.split(whereSeparator: \.isWhitespace) ?? []
        return words.firstIndex(of: "version").flatMap { $0 + 1 < words.count ? String(words[$0 + 1]) : nil }
    }
}
