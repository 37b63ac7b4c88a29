import Foundation

// What a subject must answer before it is measured, once whole and once in pieces where the connection stays open. What
// `load` checks byte by byte, from its first, is not asked before.

extension ClientConnection {
    /// - Throws: ``Failure`` that says what came instead.
    static func check(_ subject: Subject, _ service: Service, port: UInt16) throws {
        func connect() throws -> ClientConnection { try ClientConnection(port: port, tls: service.usesTLS) }
        func plaintext(_ answer: HTTPAnswer, closes: Bool = false) throws {
            try answer.checkPlaintext(service.path, exactFields: subject.hasExactFields, closes: closes)
        }
        switch service {
        case .http, .https:
            let connection = try connect()
            for request in [whole(service.path), split(service.path)] { try plaintext(connection.get(request)) }
        case .shortHTTP, .shortHTTPS: try plaintext(connect().get(last(service.path)), closes: true)
        case .block, .burn: try connect().checkWork(service.path) { try plaintext($0) }
        case .mix: try connect().checkMix { try plaintext($0) }
        case .asyncHTTP: try plaintext(connect().get(whole(service.path)))
        case .json: try connect().get(whole(service.path)).check("application/json", #"{"message":"Hello, World!"}"#)
        case .bytes:
            let connection = try connect()
            for request in [whole(service.path), split(service.path)] {
                try connection.get(request).check("text/plain", Material.File.kibibytes64.text)
            }
        // wrk does not look at what it gets.
        case .kibibyte, .kibibytes64, .mebibytes10: try connect().get(whole(service.path)).check("", service.file?.text ?? "")
        case .echo:
            let connection = try connect()
            for message in [["whole"], ["in ", "pieces"]] as [[String]] { try connection.echo(message) }
        case .rpc: try connect().checkCalls()
        case .sink: try connect().checkMessages()
        case .mail: try connect().greet()
        case .datagramEcho, .characters, .httpsFile, .names, .lookups, .heads: break
        }
    }

    /// Has the server answer once.
    func use(_ service: Service) throws {
        switch service {
        case .mail, .sink: try greet()
        case .echo: try echo(["0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"])
        case .rpc: _ = try get([Self.call(id: 1)])
        default: _ = try get(Self.whole("/plaintext"))
        }
    }

    // MARK: HTTP

    private static func whole(_ path: String) -> [String] { ["GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n"] }
    private static func split(_ path: String) -> [String] {
        ["GET \(path.prefix(4))", "\(path.dropFirst(4)) HT", "TP/1.1\r\nHost: localhost\r\n\r", "\n"]
    }
    private static func last(_ path: String) -> [String] {
        ["GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"]
    }

    /// The work is done: what is to take so long takes no less.
    private func checkWork(_ path: String, _ check: (HTTPAnswer) throws -> Void) throws {
        let began = ContinuousClock.now
        try check(get(Self.whole(path + "?ms=20")))
        try Self.check(path + "?ms=20", took: .now - began, atLeast: .milliseconds(20))
        try check(get(Self.split(path)))
    }

    /// Of twenty requests four take a millisecond each, wherever in the ten a connection begins.
    private func checkMix(_ check: (HTTPAnswer) throws -> Void) throws {
        let began = ContinuousClock.now
        for _ in 0..<20 { try check(get(Self.whole("/mix"))) }
        try Self.check("/mix", took: .now - began, atLeast: .milliseconds(4))
        try check(get(Self.split("/mix")))
    }

    static func check(_ path: String, took duration: Duration, atLeast least: Duration) throws(Failure) {
        guard duration >= least else {
            throw Failure("GET \(path) was answered after \(duration) in all: the work, \(least), was not done")
        }
    }

    // MARK: JSON-RPC

    private static func call(id: Int) -> String {
        let body = #"{"jsonrpc":"2.0","method":"subtract","params":[42,23],"id":\#(id)}"#
        return "POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            + body
    }

    private func checkCalls() throws {
        let whole = Self.call(id: 1), other = Self.call(id: 2)
        let pieces = [String(other.prefix(30)), String(other.dropFirst(30).dropLast(20)), String(other.suffix(20))]
        for (id, pieces) in [(1, [whole]), (2, pieces)] {
            let answer = try get(pieces)
            try answer.check("application/json")
            let object = try? JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any]
            guard let object, object["jsonrpc"] as? String == "2.0", object["result"] as? Int == 19, object["id"] as? Int == id else {
                throw Failure("subtract of 42 and 23 with the id \(id) was answered \"\(answer.body.prefix(200))\"")
            }
        }
    }

    // MARK: SMTP

    /// Messages are taken, one with a line that looks like its end to a server that undoes dots too early; out of order nothing is.
    private func checkMessages() throws {
        try greet()
        let contents = [["Subject: whole\r\n\r\n..\r\nwhole\r\n.\r\n"], ["Subject: in pieces\r\n\r\nin pieces\r", "\n.", "\r", "\n"]]
        for content in contents {
            try command("MAIL FROM:<sender@client.example>", 250)
            try command("RCPT TO:<recipient@live.example>", 250)
            try command("DATA", 354)
            try send(content)
            try reply(250)
        }
        try command("DATA", 503)
        try command("QUIT", 221)
    }
}
