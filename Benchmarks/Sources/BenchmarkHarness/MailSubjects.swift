import Foundation
import Glibc

/// What a mail relay is started with.
package struct RelayPlace: Sendable {
    /// Its own, empty.
    package var directory: String
    /// Of 127.0.0.1, to listen on.
    package var port: UInt16
    /// Of the next hop, on 127.0.0.1.
    package var sink: UInt16
    /// Bytes of the largest message.
    package var largest = 64 * 1024 * 1024
    /// Each domain's mail goes to its own servers, not all to the next hop. Ours only.
    package var usesMX = false
    /// Further arguments of ours.
    package var arguments: [String] = []

    package init(_ directory: borrowing SpoolDirectory, sink: UInt16) throws {
        self.directory = directory.path
        self.sink = sink
        port = try ServerProcess.freePort()
    }

    var spool: String { directory + "/spool" }
}

extension Subject {
    @Sendable static func reactorRelay(_ place: RelayPlace, _ executables: Executables) -> [String] {
        [
            executables.reactor, "serve", "smtp", "--listen", "127.0.0.1:\(place.port)", "--architecture", "reactor", "--loops", "1",
            "--spool", place.spool, "--hostname", "relay.example", "--max-size", "\(place.largest)",
        ] + (place.usesMX ? [] : ["--next-hop", "127.0.0.1:\(place.sink)"]) + place.arguments
    }

    /// The end of the way without a relay on it: what source and sink can do.
    package static let smtpSink = Subject(
        name: "smtp-sink", summary: "Postfix's smtp-sink, which answers 250 and keeps nothing (if installed)",
        command: { service, _, _ in service == .sink ? MailSink.command : nil },
        configuration: { _, place in ["127.0.0.1:\(place.port)", "4096"] },
        relay: { place, _ in MailSink.command(port: place.port) },
        isSink: true, diesOfSignal: true)

    /// One thread, on asyncio.
    package static let aiosmtpd = Subject.script(
        "aiosmtpd", "aiosmtpd, Python's SMTP server on asyncio, which takes and drops (if installed)", "aiosmtpd_sink.py",
        modules: ["aiosmtpd"]
    ) { service, _ in service == .sink ? [] : nil }

    package static let postfix = Subject(
        name: "postfix", summary: "Postfix, with a configuration and a queue of its own (if installed, and for root)",
        command: { _, _, _ in nil },
        relay: { place, _ in try postfixRelay(place) },
        diesOfSignal: true)

    /// As Debian has them.
    private static let master = "/usr/lib/postfix/sbin/master"

    var isMailInstalled: Bool {
        let isThere = access(MailSink.program, X_OK) == 0 && access(MailSource.program, X_OK) == 0
        return isThere && (isSink || access(Self.master, X_OK) == 0 && geteuid() == 0)
    }

    /// Nothing of the system's Postfix is read or written. `-d`: in the foreground, and in the process group that it was
    /// started in.
    private static func postfixRelay(_ place: RelayPlace) throws -> [String] {
        guard geteuid() == 0 else { throw Failure("Postfix must be started by root") }
        guard let owner = getpwnam("postfix").map({ ($0.pointee.pw_uid, $0.pointee.pw_gid) }), let group = getgrnam("postdrop") else {
            throw Failure("there is no user postfix or no group postdrop: install Debian's postfix")
        }
        func make(_ name: String, group: gid_t? = nil, mode: mode_t) throws {
            let path = place.directory + "/" + name
            guard mkdir(path, mode) == 0, chmod(path, mode) == 0 else { throw Failure("cannot make \(path)", errno: errno) }
            guard name == "queue" || name == "queue/pid" || chown(path, owner.0, group ?? owner.1) == 0 else {
                throw Failure("cannot give \(path) away", errno: errno)
            }
        }
        try make("data", mode: 0o755)
        try make("queue", mode: 0o755)
        try make("queue/pid", mode: 0o755)
        for name in ["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"] {
            try make("queue/" + name, mode: 0o700)
        }
        try make("queue/public", group: group.pointee.gr_gid, mode: 0o710)
        try make("queue/maildrop", group: group.pointee.gr_gid, mode: 0o730)
        for (name, text) in [("main.cf", mainConfiguration(place)), ("master.cf", masterConfiguration(place.port))] {
            try text.write(toFile: place.directory + "/" + name, atomically: false, encoding: .utf8)
        }
        return [master, "-d", "-c", place.directory]
    }
}

/// What is not said is Postfix's default; nothing here makes a message less durable.
private func mainConfiguration(_ place: RelayPlace) -> String {
    """
    compatibility_level = 3.6
    queue_directory = \(place.directory)/queue
    data_directory = \(place.directory)/data
    mail_owner = postfix
    setgid_group = postdrop
    myhostname = relay.example
    inet_interfaces = 127.0.0.1
    inet_protocols = ipv4
    # It relays, and delivers nothing itself.
    mydestination =
    local_recipient_maps =
    alias_maps =
    alias_database =
    mynetworks = 127.0.0.0/8
    relayhost = [127.0.0.1]:\(place.sink)
    # Nobody is looked up, as nobody is by ours.
    disable_dns_lookups = yes
    smtp_host_lookup = native
    smtpd_peername_lookup = no
    # A process for each session, and room for as many to the next hop.
    default_process_limit = 100
    smtpd_client_connection_count_limit = 0
    # All mail has one destination here: by default it would begin with 5 connections and have 20 at most.
    initial_destination_concurrency = 50
    default_destination_concurrency_limit = 50
    # By default it holds a client up for 1 s when mail comes faster than it goes.
    in_flow_delay = 0
    message_size_limit = \(place.largest)
    mailbox_size_limit = 0

    """
}

/// Debian's, but for what is not needed; nothing in a chroot, which would want files of the system's in the queue.
private func masterConfiguration(_ port: UInt16) -> String {
    """
    127.0.0.1:\(port) inet n - n - - smtpd
    cleanup unix n - n - 0 cleanup
    qmgr unix n - n 300 1 qmgr
    rewrite unix - - n - - trivial-rewrite
    bounce unix - - n - 0 bounce
    defer unix - - n - 0 bounce
    trace unix - - n - 0 bounce
    proxymap unix - - n - - proxymap
    smtp unix - - n - - smtp
    error unix - - n - - error
    retry unix - - n - - error
    anvil unix - - n - 1 anvil
    scache unix - - n - 1 scache
    tlsmgr unix - - n 1000? 1 tlsmgr
    flush unix n - n 1000? 0 flush

    """
}
