import ConnectionHandling
import Foundation
import Glibc
import TestSupport

/// An Exim of the test's own, which takes mail for anybody into one Maildir, and refuses some. `make test` unpacks it beside what
/// is built: to install it would push Postfix out. It needs root to start.
final class Exim {
    private static let binary = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../.build/exim/usr/sbin/exim4")
        .standardizedFileURL.path
    static let isHere = getuid() == 0 && FileManager.default.isExecutableFile(atPath: binary)

    let address: SocketAddress
    private let directory: TemporaryDirectory
    private let process = Process()

    init(_ certificates: Certificates) throws {
        directory = try TemporaryDirectory()
        address = try freeAddress()
        let path = directory.path
        for (name, content) in [("pem", "server.pem"), ("key", "server.key")] {
            try FileManager.default.copyItem(atPath: certificates.path(content), toPath: path + "/" + name)
        }
        // Debian's wants a user and a group who are there only once it is installed: in files that it alone sees.
        guard let user = getpwnam("mail")?.pointee else { throw ServerProcess.Failure(description: "there is no user mail") }
        for (file, entry) in [
            ("passwd", "Debian-exim:x:\(user.pw_uid):\(user.pw_gid)::/nonexistent:/usr/sbin/nologin\n"),
            ("group", "Debian-exim:x:\(user.pw_gid):\n"),
        ] { try directory.write(String(contentsOfFile: "/etc/" + file, encoding: .utf8) + entry, to: file) }
        try directory.write(configuration, to: "conf")
        for name in ["", "/pem", "/key"] where chown(path + name, user.pw_uid, user.pw_gid) != 0 {
            throw ServerProcess.Failure(description: "chown \(name): \(String(cString: strerror(errno)))")
        }
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            ["unshare", "--mount", "sh", "-c"]
            + [#"for file in passwd group; do mount --bind "$0/$file" /etc/$file || exit; done; exec "$@""#, path]
            + [Self.binary, "-C", path + "/conf", "-bdf"]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        guard eventually({ (try? TestClient(address))?.receiveLine().hasPrefix("220 ") == true }) else {
            throw ServerProcess.Failure(description: "Exim does not answer: \(log)")
        }
    }

    private var configuration: String {
        let path = directory.path
        return """
            primary_hostname = exim.test
            exim_path = \(Self.binary)
            spool_directory = \(path)/spool
            log_file_path = \(path)/%slog
            pid_file_path = \(path)/pid
            exim_user = mail
            exim_group = mail
            deliver_drop_privilege = true
            keep_environment =
            local_interfaces = 127.0.0.1
            daemon_smtp_ports = \(address.port ?? 0)
            tls_advertise_hosts = *
            tls_certificate = \(path)/pem
            tls_privatekey = \(path)/key
            host_lookup =
            rfc1413_hosts =
            chunking_advertise_hosts = *
            dsn_advertise_hosts = *
            smtputf8_advertise_hosts = *
            acl_smtp_rcpt = recipients
            acl_smtp_data = contents
            begin acl
            recipients:
              deny local_parts = unknown
                   message = no such user
              defer local_parts = later
                    condition = ${if exists{\(path)/open}{no}{yes}}
                    message = come back
              accept
            contents:
              accept
            begin routers
            all:
              driver = accept
              transport = box
            begin transports
            box:
              driver = appendfile
              directory = \(path)/mail
              maildir_format
              user = mail
              group = mail
              return_path_add
              envelope_to_add

            """
    }

    /// From now on whoever was told to come back is taken.
    func open() throws { try directory.write("", to: "open") }

    /// What it has taken.
    var messages: [String] {
        let new = directory.path + "/mail/new"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: new)) ?? []
        return names.compactMap { try? String(contentsOfFile: new + "/" + $0, encoding: .utf8) }
    }

    var log: String { (try? String(contentsOfFile: directory.path + "/mainlog", encoding: .utf8)) ?? "" }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGTERM) } }
}
