import HTTPTypes
import ReactorWeb
import ReactorWire

/// `/upload`: a multipart form of any size the limit allows, digested as it comes and kept nowhere. Answers with name, size
/// and SHA-256 of each part.
struct Upload: HTTPApplication, ~Copyable {
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

    private var parser: MultipartParser?
    private var receiver = Receiver()

    mutating func delivery(of request: borrowing RequestView) -> BodyDelivery { .streamed(limit: Self.limit) }

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        guard let contentType = request.field("content-type") else { return refuse(.notMultipart, &response) }
        do throws(MultipartViolation) { parser = .some(try MultipartParser(contentType: contentType)) } catch {
            refuse(error, &response)
        }
    }

    mutating func received(_ body: RawSpan, with response: inout ResponseWriter) {
        guard !response.hasBegun else { return }
        do throws(MultipartViolation) { try parser?.receive(body, into: &receiver) } catch { refuse(error, &response) }
    }

    mutating func bodyEnded(trailers: HTTPFields, with response: inout ResponseWriter) {
        guard !response.hasBegun else { return }
        do throws(MultipartViolation) {
            try parser?.finish()
            response.send(.ok, json: receiver.parts)
        } catch {
            refuse(error, &response)
        }
    }

    private mutating func refuse(_ violation: MultipartViolation, _ response: inout ResponseWriter) {
        response.sendStatus(violation.status)
    }
}
