import Foundation
import TestSupport

/// Certificates made by the openssl command, in files of a temporary directory.
struct Certificates {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func path(_ name: String) -> String { directory.path + "/" + name }
    var authority: String { path("ca.pem") }

    private func openssl(_ arguments: [String]) throws {
        let result = try run("openssl", arguments)
        if result.status != 0 { throw ServerProcess.Failure(description: "openssl \(arguments): \(result.errors)") }
    }

    /// An authority of our own; the others are issued by it.
    func makeAuthority() throws {
        try openssl(
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
                + ["-subj", "/CN=test authority", "-keyout", path("ca.key"), "-out", authority])
    }

    /// Issues `NAME.pem` and `NAME.key`, for these names.
    func issue(_ name: String, for names: String = "DNS:localhost,IP:127.0.0.1", serial: Int, purpose: String = "serverAuth") throws {
        try "subjectAltName=\(names)\nextendedKeyUsage=\(purpose)\n".write(
            toFile: path(name + ".ext"), atomically: false, encoding: .utf8)
        try openssl(
            ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(name)"]
                + ["-keyout", path(name + ".key"), "-out", path(name + ".csr")])
        try openssl(
            ["x509", "-req", "-in", path(name + ".csr"), "-CA", authority, "-CAkey", path("ca.key"), "-days", "20"]
                + ["-set_serial", "\(serial)", "-extfile", path(name + ".ext"), "-out", path(name + ".pem")])
    }
}
