import ConnectionHandling
import HTTPTypes
import ReactorWeb
import ReactorWire

/// `/inspect`: the request, as it was read.
struct Inspect: HTTPApplication, ~Copyable {
    static let limit = 64 * 1024 * 1024

    private var report: Report?
    private var hasBody = false
    private var digest = RunningDigest(.sha256)

    private struct Report: Encodable {
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
    }

    mutating func delivery(of request: borrowing RequestView) -> BodyDelivery {
        hasBody = true
        return .streamed(limit: Self.limit)
    }

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        var target = request.path.text
        if let query = request.query { target += "?" + query.text }
        var fields: [Report.Field] = []
        for index in 0..<request.fieldCount {
            fields.append(Report.Field(name: request.fieldName(index).text, value: request.fieldValue(index).text))
        }
        report = Report(
            method: request.methodName.text, target: target, version: "HTTP/1.\(request.minorVersion)", peer: "\(response.peer)",
            fields: fields)
        if !hasBody { send(&response) }
    }

    mutating func received(_ body: RawSpan, with response: inout ResponseWriter) {
        digest.update(body)
        report?.body.length += body.byteCount
    }

    mutating func bodyEnded(trailers: HTTPFields, with response: inout ResponseWriter) {
        report?.trailers = trailers.map { Report.Field(name: $0.name.rawName, value: $0.value) }
        send(&response)
    }

    private mutating func send(_ response: inout ResponseWriter) {
        var finished = RunningDigest(.sha256)
        swap(&finished, &digest)
        report?.body.sha256 = TextCode.hex(finished.finish())
        response.send(.ok, json: report)
        report = nil
        hasBody = false
    }
}
