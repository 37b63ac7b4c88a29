import Foundation
import Testing

/// The package's sources, as text.
enum Sources {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    struct File: Sendable, CustomTestStringConvertible {
        let module: String
        let path: String
        let lines: [String]
        var testDescription: String { path }

        /// The modules it imports.
        var imports: [String] {
            lines.compactMap { line in
                let words = line.split(separator: " ").map(String.init)
                guard let index = words.firstIndex(of: "import"), index + 1 < words.count,
                    words[..<index].allSatisfy({ $0.hasPrefix("@") || ["public", "package", "internal", "private"].contains($0) })
                else { return nil }
                // `import struct Glibc.stat` names the module behind the kind.
                let name = index + 2 < words.count && !words[index + 2].hasPrefix("//") ? words[index + 2] : words[index + 1]
                return name.split(separator: ".").first.map(String.init)
            }
        }
    }

    static func swift(under folder: String) -> [File] {
        let base = root.appending(path: folder)
        guard let walk = FileManager.default.enumerator(atPath: base.path) else { return [] }
        return walk.compactMap { entry in
            guard let name = entry as? String, name.hasSuffix(".swift"),
                let text = try? String(contentsOf: base.appending(path: name), encoding: .utf8)
            else { return nil }
            return File(
                module: name.split(separator: "/").first.map(String.init) ?? "", path: "\(folder)/\(name)",
                lines: text.components(separatedBy: "\n"))
        }
    }
}

/// Who may import whom (docs/ARCHITECTURE.md). A wall that nothing checks is soon a door.
@Suite struct WallsTests {
    /// Beside Foundation, Synchronization and other modules that are not ours.
    private static let allowed: [String: Set<String>] = [
        "ReactorWire": ["Glibc"],
        "ConnectionHandling": ["ReactorWire", "Glibc"],
        "ReactorTesting": ["ConnectionHandling", "ReactorWire"],
        "Reactor": ["ConnectionHandling", "ReactorWire", "CLibev", "CReactorSystem", "Glibc"],
        "ServerArchitectures": ["Reactor", "ConnectionHandling", "ReactorWire", "CReactorSystem", "Glibc"],
        "ReactorTLS": ["ConnectionHandling", "ReactorWire", "COpenSSL", "CReactorTLS", "Glibc"],
        "ReactorProxyProtocol": ["ConnectionHandling", "ReactorWire"],
        "ReactorDNS": ["ConnectionHandling", "ReactorWire"],
        "ReactorNames": [
            "Reactor", "ConnectionHandling", "ReactorWire", "ReactorDNS", "CCAres", "CIDN2", "CReactorSystem", "Glibc",
        ],
        "ReactorHTTP": ["ConnectionHandling", "ReactorWire"],
        "ReactorContentCodings": ["ReactorWire", "CZlib", "CBrotli", "CZstd"],
        "ReactorWeb": ["ReactorHTTP", "ReactorContentCodings", "ConnectionHandling", "ReactorWire"],
        "ReactorSampleSite": ["ReactorWeb", "ReactorHTTP", "ConnectionHandling", "ReactorWire"],
        "ReactorRPC": ["ReactorHTTP", "ConnectionHandling", "ReactorWire"],
        "ReactorSMTP": ["ConnectionHandling", "ReactorWire"],
        "ReactorMailQueue": ["ReactorSMTP", "ConnectionHandling", "ReactorWire", "CSQLite", "CReactorSystem", "Glibc"],
        "ReactorMailRelay": [
            "ReactorSMTP", "Reactor", "ReactorNames", "ReactorDNS", "ReactorTLS", "ConnectionHandling", "ReactorWire", "Glibc",
        ],
        "ReactorMailClient": [
            "ReactorSMTP", "Reactor", "ServerArchitectures", "ReactorNames", "ReactorTLS", "ConnectionHandling", "ReactorWire", "Glibc",
        ],
        "ReactorLoad": [
            "Reactor", "ReactorTLS", "ReactorNames", "ReactorDNS", "ConnectionHandling", "ReactorWire", "CReactorSystem", "Glibc",
        ],
    ]

    /// The files of protocol modules that touch the system: what joins a state machine to a driver, a disk or a clock.
    private static let joints: [String: Set<String>] = [
        "Sources/ReactorWeb/StaticFiles/": ["CReactorSystem", "Glibc"],
        "Sources/ReactorWeb/Digests/": ["COpenSSL"],
        "Sources/ReactorWeb/Multipart/Upload/": ["Glibc"],
        "Sources/ReactorWeb/Middleware/LogSink.swift": ["Glibc"],
        "Sources/ReactorSampleSite/Statistics/": ["Glibc"],
        // Its purpose is to block.
        "Sources/ReactorSampleSite/Endpoints/Work.swift": ["Glibc"],
        "Sources/ReactorSMTP/Message/ContentFile.swift": ["Glibc"],
        "Sources/ReactorSMTP/Authentication/": ["COpenSSL"],
        "Sources/ReactorNames/Connecting/BlockingClient+Host.swift": ["ServerArchitectures"],
    ]

    private static let guarded: Set<String> = [
        "ReactorWire", "ConnectionHandling", "ReactorTesting", "Reactor", "ServerArchitectures", "ReactorHTTP", "ReactorRPC",
        "ReactorSMTP", "ReactorTLS", "ReactorProxyProtocol", "ReactorDNS", "ReactorNames", "CLibev", "CCAres", "CIDN2", "COpenSSL",
        "CReactorTLS", "CReactorSystem", "CSQLite", "CZlib", "CBrotli", "CZstd", "ReactorWeb", "ReactorContentCodings",
        "ReactorSampleSite", "ReactorMailQueue", "ReactorMailRelay", "ReactorMailClient", "ReactorLoad", "Glibc",
    ]

    @Test(arguments: Sources.swift(under: "Sources").filter { $0.module != "reactor" })
    func modulesImportOnlyWhatTheyMay(_ file: Sources.File) throws {
        var allowed = try #require(Self.allowed[file.module], "\(file.module) has no entry: add its walls here")
        for (place, more) in Self.joints where file.path.hasPrefix(place) { allowed.formUnion(more) }
        let trespassing = Set(file.imports).intersection(Self.guarded).subtracting(allowed)
        #expect(trespassing.isEmpty, "\(file.path) imports \(trespassing.sorted())")
    }

    @Test func theImportsAreRead() throws {
        let file = try #require(Sources.swift(under: "Sources").first { $0.path.hasSuffix("Reactor/StreamConnection.swift") })
        #expect(Set(file.imports).isSuperset(of: ["CLibev", "ConnectionHandling", "Glibc"]))
    }
}
