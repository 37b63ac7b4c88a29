import HTTPTypes
import ReactorWeb
import ReactorWire

/// `/inspect`: the request, as it was read.
struct Inspect: Encodable {
    /// 64 MiB: a body is digested as it comes, and not held.
    static let limit = 64 * 1024 * 1024

    struct Field: Encodable {
        let name: String
        let value: String
    }

    struct Body: Encodable {
        var length = 0
        var sha256 = ""
    }

    let method: String
    let target: String
    let version: String
    let peer: String
    let fields: [Field]
    var body = Body()
    var trailers: [Field] = []

    static func answer(_ request: Request) async throws -> Response {
        var report = request.withView { Inspect($0, peer: "\(request.peer)") }
        var digest = RunningDigest(.sha256)
        for try await piece in request.body {
            digest.update(piece.span.bytes)
            report.body.length += piece.count
        }
        report.body.sha256 = TextCode.hex(digest.finish())
        report.trailers = request.body.trailers.map { Field(name: $0.name.rawName, value: $0.value) }
        return try .json(report)
    }

    private init(_ request: borrowing RequestView, peer: String) {
        method = request.methodName.text
        var target = request.path.text
        if let query = request.query { target += "?" + query.text }
        self.target = target
        version = "HTTP/1.\(request.minorVersion)"
        self.peer = peer
        var fields: [Field] = []
        for index in 0..<request.fieldCount {
            fields.append(Field(name: request.fieldName(index).text, value: request.fieldValue(index).text))
        }
        self.fields = fields
    }
}
