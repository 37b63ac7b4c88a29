import Foundation

/// The names of services, as services(5) has them.
package struct ServiceTable: Sendable {
    private struct Key: Hashable {
        let name: Substring
        let transport: Substring
    }

    private var ports: [Key: UInt16] = [:]

    /// What a file of services says: `smtp  25/tcp  mail  # comment`. A line that says something else is passed over. The
    /// first line with a name counts, as in getservbyname(3).
    package init(parsing text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
            guard words.count >= 2 else { continue }
            let place = words[1].split(separator: "/", omittingEmptySubsequences: false)
            guard place.count == 2, let port = UInt16(place[0]) else { continue }
            for name in [words[0]] + words[2...] {
                let key = Key(name: name, transport: place[1])
                if ports[key] == nil { ports[key] = port }
            }
        }
    }

    package func port(of name: String, _ transport: ServicePort.Transport) -> UInt16? {
        ports[Key(name: name[...], transport: transport.rawValue[...])]
    }

    /// `/etc/services`, read when it is first needed, and then kept.
    package static let ofThisMachine = ServiceTable(file: "/etc/services")

    /// One megabyte is eighty times what Debian's has: a larger file is not this one.
    static let longestFile = 1 << 20

    /// Falls back on ``builtIn`` where the file cannot be read.
    package init(file path: String) {
        let handle = FileHandle(forReadingAtPath: path)
        let data = try? handle?.read(upToCount: Self.longestFile + 1)
        if let data, data.count <= Self.longestFile {
            self.init(parsing: String(decoding: data, as: UTF8.self))
        } else {
            self.init(parsing: Self.builtIn)
        }
    }

    /// For machines without the file, as small containers are.
    static let builtIn = """
        echo 7/tcp
        echo 7/udp
        ftp 21/tcp
        ssh 22/tcp
        telnet 23/tcp
        smtp 25/tcp mail
        time 37/tcp
        domain 53/tcp
        domain 53/udp
        http 80/tcp www
        pop3 110/tcp
        ntp 123/udp
        imap2 143/tcp imap
        ldap 389/tcp
        https 443/tcp
        https 443/udp
        submissions 465/tcp smtps
        submission 587/tcp
        ldaps 636/tcp
        domain-s 853/tcp
        imaps 993/tcp
        pop3s 995/tcp
        mysql 3306/tcp
        postgresql 5432/tcp
        xmpp-client 5222/tcp
        amqp 5672/tcp
        redis 6379/tcp
        """
}
