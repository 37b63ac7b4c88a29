/// A response as the harness needs it: to check a subject, not to be a client.
package struct HTTPAnswer: Equatable, Sendable {
    package let statusLine: String
    /// By lower-case name.
    package let fields: [String: String]
    package let body: String

    /// - Returns: nil while bytes are missing.
    /// - Throws: ``Failure`` if the text is not a response with a Content-Length.
    package static func complete(in text: String) throws(Failure) -> HTTPAnswer? {
        guard let end = text.utf8Range(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].split(separator: "\r\n").map(String.init)
        guard let statusLine = lines.first else { throw Failure("the response is empty") }
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw Failure("not a header field: \(line)") }
            let value = line[line.index(after: colon)...].drop(while: { $0 == " " })
            fields[line[..<colon].lowercased()] = String(value)
        }
        guard let length = fields["content-length"].flatMap({ Int($0) }) else {
            throw Failure("the response has no Content-Length")
        }
        let body = text[end.upperBound...].utf8
        guard body.count >= length else { return nil }
        guard body.count == length else { throw Failure("the response goes on behind its Content-Length") }
        return HTTPAnswer(statusLine: statusLine, fields: fields, body: String(text[end.upperBound...]))
    }

    /// What a subject that serves something else must answer.
    package func check(_ type: String, _ body: String) throws(Failure) {
        try check(type)
        guard self.body == body else { throw Failure("the body was \"\(self.body.prefix(80))\"\(difference(from: body))") }
    }

    /// The same of everything but the body.
    func check(_ type: String) throws(Failure) {
        guard statusLine.hasPrefix("HTTP/1.1 200") else { throw Failure("the answer was \(statusLine)") }
        guard fields["content-type", default: ""].hasPrefix(type) else {
            throw Failure("the answer had the Content-Type \(fields["content-type"] ?? "none")")
        }
        guard fields["date"]?.hasSuffix("GMT") == true else { throw Failure("the response has no Date") }
    }

    private func difference(from expected: String) -> String {
        let same = zip(body.utf8, expected.utf8).prefix { $0 == $1 }.count
        return body.utf8.count > 80 ? ", of \(body.utf8.count) bytes, and wrong from byte \(same) on" : ""
    }

    /// The question that a subject must answer before it is measured.
    package func checkPlaintext(_ path: String = "/plaintext", exactFields: Bool, closes: Bool = false) throws(Failure) {
        guard statusLine.hasPrefix("HTTP/1.1 200") else { throw Failure("GET \(path) was answered \(statusLine)") }
        guard body == "Hello, World!" else { throw Failure("GET \(path) was answered with the body \"\(body.prefix(80))\"") }
        guard fields["content-type"]?.hasPrefix("text/plain") == true else {
            throw Failure("GET \(path) was answered with Content-Type: \(fields["content-type"] ?? "none")")
        }
        guard fields["date"]?.hasSuffix("GMT") == true else { throw Failure("the response has no Date") }
        guard !closes || fields["connection"] == "close" else {
            throw Failure("the last response does not say Connection: close")
        }
        // Server: what the site's middleware adds, and other servers send too.
        let expected = ["content-type", "content-length", "date", "server"] + (closes ? ["connection"] : [])
        let others = Set(fields.keys).subtracting(expected)
        guard !exactFields || others.isEmpty else {
            let names = others.sorted().joined(separator: ", ")
            throw Failure("the response has fields that the floor's has not: \(names)")
        }
    }
}

extension String {
    /// Where `needle` is first. "\r\n" is one Character, so the search goes by code units.
    fileprivate func utf8Range(of needle: StaticString) -> Range<String.Index>? {
        let needle = Array("\(needle)".utf8)
        var start = utf8.startIndex
        while start != utf8.endIndex {
            if utf8[start...].starts(with: needle) { return start..<utf8.index(start, offsetBy: needle.count) }
            start = utf8.index(after: start)
        }
        return nil
    }
}
