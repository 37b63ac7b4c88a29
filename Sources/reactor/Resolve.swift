import ArgumentParser
import ConnectionHandling
import Foundation
import Reactor
import ReactorDNS
import ReactorNames

struct Resolve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look names up in the DNS, in the manner of dig +short.",
        discussion: """
            Prints the data of each record on a line of its own, behind the aliases (CNAME
            records) that lead to it. Without a type, the name's addresses: A and AAAA.
            Names may be in any script. A name of - reads names from the standard input,
            one a line.

            The name servers are those of /etc/resolv.conf, and names in /etc/hosts are
            known without asking; unless a --server is given: then it alone is asked. As
            with dig, a short name is not completed by the search domains, unless --search
            is given.

            Exit status, the highest that any name gives:
              0   there are records
              1   there is no such name (NXDOMAIN)
              2   the name is there, and has no such record (NODATA)
              3   failure: no answer in time, or no sound one; the server failed, refused,
                  or cannot be reached
              64  the arguments, or a name, are not what they must be

            Try it:
              reactor resolve example.com
              reactor resolve example.com MX TXT --server 192.0.2.53
              reactor resolve -x 192.0.2.1
            """)

    @Argument(help: ArgumentHelp("What to look up, or - for names from the standard input.", valueName: "name"))
    var name: String?

    @Argument(
        help: ArgumentHelp(
            "Which records: A, AAAA, MX, TXT, SRV, PTR, NS, CNAME, CAA, SOA, NAPTR, or TYPE65.", valueName: "type"),
        transform: parsed(RecordType.init(asked:)))
    var types: [RecordType] = []

    @Option(
        name: .customShort("x"), help: ArgumentHelp("Look up the names of this address instead (PTR).", valueName: "address"),
        transform: { text in
            guard let address = IPAddress(parsing: text) else {
                throw ValidationError("'\(text)' is not an address: write 192.0.2.1 or 2001:db8::1")
            }
            return address
        })
    var address: IPAddress?

    @Option(
        help: ArgumentHelp(
            "Ask this name server, at port 53 or the one given. May be repeated: the next is asked when one fails.",
            valueName: "host[:port]"),
        transform: parsed(nameServer))
    var server: [SocketAddress] = []

    @Option(help: ArgumentHelp("How long each name may take.", valueName: "seconds"))
    var timeout = 10.0

    @Flag(help: "Complete short names by the search domains of /etc/resolv.conf.")
    var search = false

    func validate() throws {
        guard (name == nil) != (address == nil) else { throw ValidationError("give a name to look up, or -x and an address") }
        guard timeout > 0, timeout <= 3_600 else { throw ValidationError("--timeout must be above 0, up to 3600 seconds") }
    }

    func run() throws {
        var options = ResolverOptions(servers: server)
        options.deadline = .seconds(timeout)
        options.timeout = min(options.timeout, options.deadline)
        if !server.isEmpty { options.hostsFile = nil }
        if !search { options.searchDomains = [] }
        let query = try NameQuery(options: options)
        var status = NameQuery.Status.answered
        if let address {
            status = query.print(address.reverseName.description, [.ptr])
        } else if name == "-" {
            while let line = readLine() {
                let name = line.trimmingCharacters(in: .whitespaces)
                if !name.isEmpty { status = max(status, query.print(name, types)) }
            }
        } else if let name {
            status = query.print(name, types)
        }
        if status != .answered { throw ExitCode(status.rawValue) }
    }
}

/// Reads `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`.
private func nameServer(_ text: String) throws -> SocketAddress {
    if let address = IPAddress(parsing: text) { return address.socketAddress(port: 53) }
    let address = try SocketAddress(parsing: text)
    guard !address.isUnix else { throw ValidationError("a name server is asked over UDP and TCP: write its address, such as 192.0.2.53") }
    return address
}

extension RecordType {
    fileprivate init(asked text: String) throws {
        // RFC 6895 section 3.1: 128 to 255 are kinds of questions, such as ANY, and 41 is part of the protocol.
        guard let type = RecordType(parsing: text), type != .opt, !(128...255).contains(type.rawValue), type.rawValue > 0 else {
            throw ValidationError("'\(text)' is no type of record: write one such as A, AAAA, MX, TXT, PTR or TYPE65")
        }
        self = type
    }
}
