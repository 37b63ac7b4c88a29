import Foundation
import Glibc

/// What servers are given to serve over TLS: a certificate of their own with its key, ECDSA on P-256, and a directory
/// with one file. It stands beside the executables, is made when it is missing, and is the same for every subject.
package struct Material: Sendable {
    /// Where it is or will be.
    private let directory: String

    package init(directory: String) { self.directory = directory }

    package var certificate: String { directory + "/certificate.pem" }
    package var key: String { directory + "/key.pem" }
    /// Has the file `mebibyte`, whose bytes `load tls-bodies` knows.
    package var root: String { directory + "/root" }

    /// - Throws: ``Failure`` if it is missing and cannot be made.
    package func make() throws {
        guard access(directory, F_OK) != 0 else { return }
        // Elsewhere first, so that no other run finds half of it.
        let new = Material(directory: "\(directory).\(getpid())-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: new.directory) }
        try FileManager.default.createDirectory(atPath: new.root, withIntermediateDirectories: true)
        try Self.mebibyte.write(to: URL(filePath: new.root + "/mebibyte"))
        try new.makeCertificate()
        guard rename(new.directory, directory) != 0 else { return }
        let code = errno
        // Another run may have been first.
        guard access(directory, F_OK) == 0 else { throw Failure("cannot make \(directory)", errno: code) }
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
