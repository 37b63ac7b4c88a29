import Foundation
import ReactorTesting
import TestSupport
import Testing

@testable import ReactorNames

@Suite struct ServicePortTests {
    private static let file = """
        # Network services, Internet style
        tcpmux\t\t1/tcp\t\t\t\t# TCP port service multiplexer
        smtp\t\t25/tcp\t\tmail
        domain\t\t53/tcp\r
        domain\t\t53/udp
          indented 60/tcp a b c
        #commented 61/tcp
        nothing
        wrong 70000/tcp
        wrong 0x1/tcp
        wrong /tcp
        wrong 7
        wrong 7/tcp/udp
        other 9/sctp
        smtp 26/tcp
        last 65535/udp
        """
    private let table = ServiceTable(parsing: file)

    @Test(arguments: [
        ("tcpmux", .tcp, 1), ("smtp", .tcp, 25), ("mail", .tcp, 25), ("domain", .udp, 53), ("domain", .tcp, 53), ("indented", .tcp, 60),
        ("a", .tcp, 60), ("c", .tcp, 60), ("last", .udp, 65_535), ("80", .tcp, 80), ("0", .udp, 0), ("65535", .tcp, 65_535), ("007", .tcp, 7),
    ] as [(String, ServicePort.Transport, UInt16)])
    func namesAndNumbersAreRead(_ text: String, _ transport: ServicePort.Transport, _ port: UInt16) throws {
        #expect(try ServicePort(text, transport: transport, in: table).number == port)
    }

    @Test(arguments: ["", "65536", "99999999999999999999", "-1", "+1", " 80", "80 ", "٣", "wrong", "other", "SMTP", "commented", "#commented", "last", "#"])
    func othersAreRefused(_ text: String) {
        let error = #expect(throws: UnknownServiceError.self) { try ServicePort(text, transport: .tcp, in: table) }
        #expect("\(error, default: "")".hasPrefix("'\(text)' is no TCP port: "))
    }

    @Test func whereThereIsNoFileTheUsualOnesAreKnown() throws {
        let none = ServiceTable(file: "/nonexistent/services")
        #expect(try ServicePort("https", transport: .tcp, in: none).number == 443)
        #expect(try ServicePort("domain", transport: .udp, in: none).number == 53)
        #expect(throws: UnknownServiceError.self) { try ServicePort("whois", transport: .tcp, in: none) }
        // Every line of it says something.
        for line in ServiceTable.builtIn.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "/" }.map(String.init)
            let transport = try #require(ServicePort.Transport(rawValue: words[2]))
            for name in [words[0]] + words[3...] {
                #expect(none.port(of: name, transport) == UInt16(words[1]))
            }
        }
    }

    @Test func aFileIsReadUpToALimit() throws {
        let directory = try TemporaryDirectory()
        let line = "service 4711/tcp\n"
        for (name, size, isRead) in [("short", ServiceTable.longestFile, true), ("long", ServiceTable.longestFile + 1, false)] {
            try directory.write(line + String(repeating: "#", count: size - line.utf8.count), to: name)
            let table = ServiceTable(file: "\(directory.path)/\(name)")
            #expect(table.port(of: "service", .tcp) == (isRead ? 4711 : nil), "\(name)")
            #expect(table.port(of: "https", .tcp) == (isRead ? nil : 443), "\(name)")
        }
    }

    @Test(arguments: 0..<20)
    func garbageIsPassedOver(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("ab/#\t \n\r0169tcpud\u{E9}\u{0}")
        let text = String((0..<2_000).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] })
        let table = ServiceTable(parsing: text + "\nsentinel 4711/tcp\n")
        #expect(table.port(of: "sentinel", .tcp) == 4711, "seed \(seed)")
    }

    @Test func thisMachinesFileIsTheDefault() throws {
        let port: ServicePort = 8080
        #expect(port.number == 8080)
        #expect(try ServicePort("smtp") == ServicePort(25))
        #expect(try ServicePort("smtp") == 25)
    }
}
