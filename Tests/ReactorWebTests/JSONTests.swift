import HTTPTestSupport
import ReactorHTTP
import ReactorTesting
import ReactorWire
import Testing

@testable import ReactorWeb

/// Arrays in arrays, and names of any kind.
private struct Anything: Codable {
    init(from decoder: any Decoder) throws {
        if var list = try? decoder.unkeyedContainer() { while !list.isAtEnd { _ = try list.decode(Anything.self) } }
    }
    func encode(to encoder: any Encoder) throws {}
}

/// What JSON of a peer may hold.
@Suite struct JSONTests {
    private func status(_ path: String, _ body: [UInt8]) -> String {
        var router = Router()
        router.post("/lent") { request, response in
            _ = try request.decode(as: Anything.self)
            response.send(.noContent)
        }
        router.post("/async") { request async throws -> HTTPStatus in
            _ = try await request.decode(as: Anything.self)
            return .noContent
        }
        let driver = TestDriver(HTTPServerHandler(application: RoutedApplication(router)))
        let head = "POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n"
        driver.receive(Array(head.utf8) + body)
        return Answer(driver.takeOutput()).status
    }

    private func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }

    @Test(arguments: ["/lent", "/async"]) func nestsSoDeep(_ path: String) {
        #expect(status(path, Array(nested(64).utf8)) == "204")
        #expect(status(path, Array(nested(65).utf8)) == "400")
        #expect(status(path, Array("\"\(nested(65))\"".utf8)) == "204")
    }

    /// Whoever hashes a name of accents alone is busy for minutes.
    @Test(arguments: ["/lent", "/async"]) func namesAreSoLong(_ path: String) {
        func named(_ count: Int) -> [UInt8] { Array("{\"\(String(repeating: "\u{301}\u{316}", count: count / 4))\": 1}".utf8) }
        #expect(status(path, named(512)) == "204")
        #expect(status(path, named(516)) == "400")
        #expect(status(path, named(1 << 18)) == "400")
    }

    /// Foundation would read it, and nobody knows where its names are.
    @Test func isUTF8() {
        #expect(status("/lent", "{}".utf16.flatMap { [UInt8(truncatingIfNeeded: $0), 0] }) == "400")
    }
}
