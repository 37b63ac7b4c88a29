import ConnectionHandling
import Foundation
import Glibc
import TestSupport

/// A Postfix of the test's own, beside the system's: its configuration, queue and port are its own. It needs root to start.
///
/// It is a client, which gives what its `sendmail` is given to a relay, and a server, which takes mail for `postfix.test`.
final class Postfix {
    static let isHere = getuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/sbin/postfix")

    let address: SocketAddress
    private let directory: TemporaryDirectory
    private var configuration: String { directory.path + "/etc" }

    init(relay: SocketAddress, certificates: Certificates) throws {
        directory = try TemporaryDirectory()
        address = try freeAddress()
        let path = directory.path
        for name in ["etc", "queue", "data", "mail"] {
            try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: false)
        }
        guard let user = getpwnam("postfix")?.pointee, chown(path + "/data", user.pw_uid, user.pw_gid) == 0,
            chown(path + "/mail", user.pw_uid, user.pw_gid) == 0
        else { throw ServerProcess.Failure(description: "there is no user postfix") }
        try directory.write(
            """
            compatibility_level = 3.6
            queue_directory = \(path)/queue
            data_directory = \(path)/data
            command_directory = /usr/sbin
            daemon_directory = /usr/lib/postfix/sbin
            myhostname = mail.postfix.test
            mydestination =
            mynetworks = 127.0.0.0/8
            inet_interfaces = 127.0.0.1
            inet_protocols = ipv4
            alias_maps =
            relayhost = [127.0.0.1]:\(relay.port ?? 0)
            smtp_tls_security_level = may
            smtpd_tls_security_level = may
            smtpd_tls_cert_file = \(certificates.path("server.pem"))
            smtpd_tls_key_file = \(certificates.path("server.key"))
            smtpd_tls_received_header = yes
            smtpd_peername_lookup = no
            virtual_mailbox_domains = postfix.test
            virtual_mailbox_maps = static:box/
            virtual_mailbox_base = \(path)/mail
            virtual_minimum_uid = 1
            virtual_uid_maps = static:\(user.pw_uid)
            virtual_gid_maps = static:\(user.pw_gid)
            maillog_file = \(path)/log
            maillog_file_prefixes = \(path)

            """, to: "etc/main.cf")
        let services =
            ["127.0.0.1:\(address.port ?? 0) inet n - n - - smtpd", "pickup unix n - n 1 1 pickup", "qmgr unix n - n 5 1 qmgr"]
            + ["cleanup unix n - n - 0 cleanup", "rewrite unix - - n - - trivial-rewrite", "virtual unix - n n - - virtual"]
            + ["bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce", "smtp unix - - n - - smtp"]
            + ["error unix - - n - - error", "retry unix - - n - - error", "proxymap unix - - n - - proxymap", "tlsmgr unix - - n 1000? 1 tlsmgr"]
            + ["anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache", "postlog unix-dgram n - n - 1 postlogd"]
        try directory.write(services.joined(separator: "\n") + "\n", to: "etc/master.cf")
        try control("start")
    }

    private func control(_ command: String) throws {
        let result = try run("/usr/sbin/postfix", ["-c", configuration, command])
        if result.status != 0 { throw ServerProcess.Failure(description: "postfix \(command): \(result.errors) \(log)") }
    }

    /// Gives it a message, as programs on a machine do.
    func send(from: String, to: String, _ message: String) throws -> CommandResult {
        try run("/usr/sbin/sendmail", ["-C", configuration, "-i", "-f", from, to], input: message)
    }

    /// What it has taken for `postfix.test`.
    var messages: [String] {
        let new = directory.path + "/mail/box/new"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: new)) ?? []
        return names.compactMap { try? String(contentsOfFile: new + "/" + $0, encoding: .utf8) }
    }

    var log: String { (try? String(contentsOfFile: directory.path + "/log", encoding: .utf8)) ?? "" }

    deinit { try? control("stop") }
}
