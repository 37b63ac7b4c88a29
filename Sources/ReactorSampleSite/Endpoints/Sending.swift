import FoundationEssentials
import HTTPTypes
import ReactorWeb
import ReactorWire

extension RequestView {
    func queryValue(_ name: String) -> String? {
        guard let query, let fields = try? FormFields(parsing: query) else { return nil }
        return fields[name]
    }

    /// A number of the query within `range`; the default without it. Nil if it is none.
    func queryNumber(_ name: String, _ range: ClosedRange<Int>, default value: Int) -> Int? {
        guard let text = queryValue(name) else { return value }
        guard let number = Array(text.utf8).span.bytes.decimal, range.contains(number) else { return nil }
        return number
    }

    /// Whether a page of another site has made the browser send this. Clients that are no browsers say nothing of it, and
    /// carry no cookies that a page could misuse.
    var isForeign: Bool {
        if let site = field("sec-fetch-site") { return !site.equals("same-origin") && !site.equals("none") }
        guard let origin = field("origin") else { return false }
        guard let authority, let colon = origin.firstIndex(of: UInt8(ascii: ":")), colon + 3 < origin.byteCount else { return true }
        return !origin.slice(colon..<colon + 3).equals("://")
            || !origin.slice(colon + 3..<origin.byteCount).equals(authority.array)
    }
}

extension Response {
    /// A value in JSON for people to read: members in the order of their names, and not kept by any cache.
    static func json(_ value: some Encodable) throws -> Response {
        Response(fields: [.contentType: "application/json", .cacheControl: "no-store"], body: .bytes(try encoded(value)))
    }
}

func encoded(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    return Array(try encoder.encode(value))
}

extension ResponseWriter {
    /// As ``Response/json(_:)``.
    mutating func sendJSON(_ value: some Encodable) throws {
        let body = try encoded(value)
        begin(.ok)
        field("Content-Type", "application/json")
        field("Cache-Control", "no-store")
        end(body.span.bytes)
    }

    /// What was asked for is out of bounds: says so.
    mutating func refuse(_ reason: String) {
        begin(.badRequest)
        field("Content-Type", "text/plain; charset=utf-8")
        end(Array((reason + "\n").utf8).span.bytes)
    }

    /// Sends the browser elsewhere, after a form was taken.
    mutating func seeOther(_ location: StaticString) {
        begin(HTTPStatus(303))
        field("Location", location)
    }
}
