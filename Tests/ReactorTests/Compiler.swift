import Foundation
import Testing

/// Compiles Swift code against the modules beside this test, as a package elsewhere would.
///
/// - Parameter arguments: more for the compiler.
func compile(_ code: String, _ arguments: [String] = []) throws -> (status: Int32, errors: String) {
    let build = try #require(Bundle.main.executableURL).deletingLastPathComponent()
    let source = FileManager.default.temporaryDirectory.appending(path: "compiled-\(UUID().uuidString).swift")
    try code.write(to: source, atomically: false, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: source) }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    // As far as SIL: the checks of what is sent to other threads come behind type-checking.
    process.arguments = [
        "swiftc", "-emit-sil", "-o", "/dev/null", "-swift-version", "6", "-package-name", "elsewhere",
        "-I", build.appending(path: "Modules").path, "-I", packageRoot.appending(path: "Sources/CLibev").path,
        "-I", packageRoot.appending(path: "Sources/CSQLite").path, "-I", packageRoot.appending(path: "Sources/CCAres").path,
        "-I", packageRoot.appending(path: "Sources/CIDN2").path,
        "-I", packageRoot.appending(path: "Sources/COpenSSL").path,
        "-I", packageRoot.appending(path: "Sources/CZlib").path, "-I", packageRoot.appending(path: "Sources/CBrotli").path,
        "-I", packageRoot.appending(path: "Sources/CZstd").path,
        "-Xcc", "-fmodule-map-file=\(build.appending(path: "CReactorSystem.build/module.modulemap").path)",
        "-Xcc", "-fmodule-map-file=\(build.appending(path: "CReactorTLS.build/module.modulemap").path)",
        // Of what ReactorLoad depends on; SwiftPM keeps dependencies beside what it builds.
        "-I", build.appending(path: "../../checkouts/swift-numerics/Sources/_NumericsShims/include").standardized.path,
    ] + arguments + [source.path]
    let pipe = Pipe()
    process.standardError = pipe
    try process.run()
    let errors = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, errors)
}

let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
