import Foundation
import Glibc

/// What servers are given to serve: a certificate of their own with its key, ECDSA on P-256, and a directory with files.
/// It is made when it is missing, and is the same for every subject. Everybody may read it but the key: servers that are
/// started by root become somebody else, who could not reach it below a home directory.
package struct Material: Sendable {
    /// Where it is or will be.
    private let directory: String

    package init(directory: String) { self.directory = directory }

    package var certificate: String { directory + "/certificate.pem" }
    package var key: String { directory + "/key.pem" }
    /// Has the file `mebibyte`, whose bytes `load tls-bodies` knows, and those of ``File``.
    package var root: String { directory + "/root" }

    /// The files of text, by their names.
    package enum File: String, CaseIterable, Sendable {
        /// What `GET /plaintext` is answered, for servers that serve nothing but files.
        case plaintext
        case kibibyte
        case kibibytes64 = "64-kibibytes"
        case mebibytes10 = "10-mebibytes"

        var size: Int {
            switch self {
            case .plaintext: 13
            case .kibibyte: 1 << 10
            case .kibibytes64: 64 << 10
            case .mebibytes10: 10 << 20
            }
        }

        static let lineLength = 64

        /// Lines, no two the same.
        package var text: String {
            if self == .plaintext { return "Hello, World!" }
            let filling = String(repeating: ".", count: Self.lineLength - 17) + "\n"
            var text = ""
            text.reserveCapacity(size)
            for line in 0..<size / Self.lineLength { text += String(line + (1 << 60), radix: 16) + filling }
            return text
        }
    }

    /// - Throws: ``Failure`` if it is missing and cannot be made.
    package func make() throws {
        try checkOwner()
        guard !isWhole else { return }
        // Elsewhere first, so that no other run finds half of it.
        let new = Material(directory: "\(directory).\(getpid())-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: new.directory) }
        try FileManager.default.createDirectory(atPath: new.root, withIntermediateDirectories: true)
        try Self.mebibyte.write(to: URL(filePath: new.root + "/mebibyte"))
        for file in File.allCases { try file.text.write(toFile: new.root + "/" + file.rawValue, atomically: false, encoding: .utf8) }
        try new.makeCertificate()
        // Whatever the umask takes away.
        for path in [new.directory, new.root] { chmod(path, 0o755) }
        for file in ["mebibyte"] + File.allCases.map(\.rawValue) { chmod(new.root + "/" + file, 0o644) }
        // What an older version of this made lacks files.
        if !isWhole { try? FileManager.default.removeItem(atPath: directory) }
        guard rename(new.directory, directory) != 0 else { return }
        let code = errno
        // Another run may have been first.
        guard isWhole else { throw Failure("cannot make \(directory)", errno: code) }
    }

    /// What others could have put there, where everybody may make directories, is not served.
    private func checkOwner() throws(Failure) {
        var status = stat()
        guard lstat(directory, &status) == 0 else { return }
        let isOwn = status.st_uid == getuid() && status.st_mode & S_IFMT == S_IFDIR && status.st_mode & 0o022 == 0
        guard isOwn else { throw Failure("\(directory) is not a directory that only this user may change: remove it") }
    }

    private var isWhole: Bool {
        File.allCases.allSatisfy { file in
            var status = stat()
            return stat(root + "/" + file.rawValue, &status) == 0 && Int(status.st_size) == file.size
        }
    }

    private static var mebibyte: Data {
        var data = Data(capacity: 1 << 20)
        for index: UInt32 in 0..<(1 << 18) {
            withUnsafeBytes(of: (index &* 2_654_435_761).littleEndian) { data.append(contentsOf: $0) }
        }
        return data
    }

    private func makeCertificate() throws {
        var openssl = try ChildProcess(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", key, "-out", certificate, "-days", "36500", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            ], cpu: nil)
        guard try openssl.wait(milliseconds: 10_000) == .code(0) else {
            throw Failure("openssl made no certificate; it printed: \(openssl.printed().oneLine)")
        }
    }
}
