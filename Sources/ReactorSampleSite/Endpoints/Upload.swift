import ReactorWeb
import ReactorWire

/// `/upload`: a multipart form, digested as it comes and kept nowhere. Answers with name, size and SHA-256 of each part.
enum Upload {
    /// A gibibyte: nothing of it is held.
    static let limit = 1 << 30

    private struct Part: Encodable {
        let name: String
        let filename: String?
        let contentType: String?
        var size = 0
        var sha256 = ""
    }

    private struct Receiver: MultipartReceiver, ~Copyable {
        var parts: [Part] = []
        var digest = RunningDigest(.sha256)

        mutating func partBegan(_ head: MultipartHead) {
            parts.append(Part(name: head.name, filename: head.filename, contentType: head.contentType))
        }

        mutating func partReceived(_ bytes: RawSpan) {
            digest.update(bytes)
            parts[parts.count - 1].size += bytes.byteCount
        }

        mutating func partEnded() {
            var finished = RunningDigest(.sha256)
            swap(&finished, &digest)
            parts[parts.count - 1].sha256 = TextCode.hex(finished.finish())
        }
    }

    static func answer(_ request: Request) async throws -> Response {
        do {
            var parser = try MultipartParser(contentType: Array((request.field("content-type") ?? "").utf8).span.bytes)
            var receiver = Receiver()
            for try await piece in request.body { try parser.receive(piece.span.bytes, into: &receiver) }
            try parser.finish()
            return try .json(receiver.parts)
        } catch let violation as MultipartViolation {
            throw HTTPError(violation.status, "\(violation)")
        }
    }
}
