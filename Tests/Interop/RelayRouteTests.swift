import Foundation
import TestSupport
import Testing

/// What routes and next hops that `reactor serve smtp` is told of mean for its clients.
@Suite(.timeLimit(.minutes(40))) struct RelayRouteTests {
    /// Accepted and returned, their mail would go to whoever the sender is said to be.
    @Test func whomTheRoutesDoNotDeliverToIsRefusedInTheSession() throws {
        let spool = try TemporaryDirectory()
        let mail = try TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: mail.path + "/bob", withIntermediateDirectories: false)
        let server = try ServerProcess(
            "reactor",
            [
                "serve", "smtp", "--listen", "127.0.0.1:0", "--spool", spool.path, "--next-hop", "127.0.0.1:1", "--hostname",
                "relay.test", "--route", "box.test=maildir:\(mail.path)/%u", "--route", "gone.test=error:5.1.6 they have moved",
                "--allow", "192.0.2.0/24", "--relay-domain", "box.test", "--relay-domain", "gone.test",
            ])
        let client = try TestClient(server.addresses[0])
        client.send(
            "EHLO a\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<bob@box.test>\r\nRCPT TO:<eve@box.test>\r\nRCPT TO:<x@gone.test>\r\n"
                + "QUIT\r\n")
        client.endOutput()
        let text = client.receiveToEnd().text
        #expect(text.contains("\r\n550 5.1.1 there is no such mailbox\r\n550 5.1.6 they have moved\r\n221 "), "\(text)")
        #expect(text.components(separatedBy: "\r\n").count { $0.hasPrefix("250 2.1.5 ") } == 1, "\(text)")
        #expect(server.stop() == 0)
    }

    @Test("what is said of a next hop's credentials and TLS", arguments: [
        (["--next-hop-user", "u"], "go together"), (["--next-hop-user", "u", "--next-hop-password-file", "/nonexistent"], "/nonexistent"),
        (["--delivery-tls", "b.test=required"], "write hub.test:465=required"), (["--delivery-tls", "hub.test:465=implicit"], ""),
    ])
    func nextHop(_ more: [String], _ mistake: String) throws {
        let result = try run(
            ServerProcess.executable("reactor").path,
            ["serve", "smtp", "--check", "--listen", "127.0.0.1:0", "--spool", "/tmp/unused", "--next-hop", "hub.test:465"] + more)
        #expect(result.status == (mistake.isEmpty ? 0 : 78), "\(result.errors)")
        #expect(mistake.isEmpty || result.errors.contains(mistake), "\(result.errors)")
    }
}
