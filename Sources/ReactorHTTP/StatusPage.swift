import ReactorWire

/// What a status is told in, by the request's Accept. Nothing is told but the status.
enum StatusPage: UInt8 {
    /// The request has not been asked yet.
    case undecided
    /// Where nothing is preferred, as by curl: without Accept, with `*/*`, and where none of the three is acceptable.
    case text
    case html
    /// RFC 9457.
    case json

    /// What the client wants most. Among equals a type that is named comes before one that a range holds: browsers name
    /// HTML, clients of interfaces JSON, and both take anything else as well.
    init(acceptedBy head: RawSpan) {
        var (text, html, json, problem) = (Acceptance(), Acceptance(), Acceptance(), Acceptance())
        forEachLine(of: head, named: "accept") { field in
            text.readAccept(field, for: "text/plain")
            html.readAccept(field, for: "text/html")
            json.readAccept(field, for: "application/json")
            problem.readAccept(field, for: "application/problem+json")
        }
        var best = (page: StatusPage.text, rank: text.value == 0 ? 0 : Self.rank(text) + 1)
        for (page, rank) in [(StatusPage.html, Self.rank(html)), (.json, max(Self.rank(json), Self.rank(problem)))] where rank > best.rank {
            best = (page, rank)
        }
        self = best.page
    }

    private static func rank(_ acceptance: Acceptance) -> Int {
        acceptance.value == 0 ? 0 : acceptance.value * 4 + (acceptance.isNamed ? 2 : 0)
    }

    var contentType: StaticString {
        switch self {
        case .undecided, .text: "text/plain"
        case .html: "text/html; charset=utf-8"
        case .json: "application/problem+json"
        }
    }

    /// Appends the page. A reason holds nothing that would have to be escaped.
    func append(_ status: HTTPStatus, to page: inout ByteQueue) {
        switch self {
        case .undecided, .text:
            Self.append(words: status, to: &page)
        case .html:
            page.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">")
            page.append("<meta name=\"color-scheme\" content=\"light dark\"><title>")
            Self.append(words: status, to: &page)
            page.append("</title></head>\n<body><h1>")
            Self.append(words: status, to: &page)
            page.append("</h1></body>\n</html>")
        case .json:
            page.append("{\"type\":\"about:blank\",\"title\":\"")
            page.append(status.reason)
            page.append("\",\"status\":")
            page.append(decimal: Int(status.code))
            page.append("}")
        }
        page.append("\n")
    }

    private static func append(words status: HTTPStatus, to page: inout ByteQueue) {
        page.append(decimal: Int(status.code))
        page.append(" ")
        page.append(status.reason)
    }
}

extension Acceptance {
    fileprivate mutating func readAccept(_ field: RawSpan, for type: StaticString) {
        type.withUTF8Buffer { readAccept(field, for: RawSpan(_unsafeBytes: UnsafeRawBufferPointer($0))) }
    }
}

/// The values of the lines of a head that have this name: for what is asked of few requests, and once they are half
/// forgotten. `lowercaseName` must be written in lower case.
func forEachLine(of head: RawSpan, named lowercaseName: StaticString, _ body: (RawSpan) -> Void) {
    let nameLength = lowercaseName.utf8CodeUnitCount
    var start = 0
    while start < head.byteCount {
        let end = head.firstIndex(of: UInt8(ascii: "\r"), from: start) ?? head.byteCount
        if end - start > nameLength, head[start + nameLength] == UInt8(ascii: ":"),
            head.slice(start..<start + nameLength).equalsIgnoringCase(lowercaseName)
        {
            body(head.slice(start + nameLength + 1..<end))
        }
        start = min(end + 2, head.byteCount)
    }
}
