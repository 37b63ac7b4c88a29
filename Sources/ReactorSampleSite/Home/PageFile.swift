import ReactorWeb
import ReactorWire

/// One of the files that the site's pages need, out of memory.
struct PageFile: Sendable {
    private let contentType: StaticString
    private let bytes: [UInt8]
    private let entityTag: [UInt8]
    /// What a page puts behind the `?` of the file's address. A file that is asked for by its version never changes.
    let version: String

    init(_ contentType: StaticString, _ text: String) {
        self.contentType = contentType
        let bytes = Array(text.utf8)
        let digest = TextCode.hex(DigestAlgorithm.sha256.digest(of: bytes.span.bytes))
        self.bytes = bytes
        version = String(digest.prefix(16))
        entityTag = Array(EntityTag(digest).description.utf8)
    }

    func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        var conditions = Preconditions()
        for index in 0..<request.fieldCount {
            conditions.read(
                request.fieldName(index), request.fieldValue(index),
                against: Validators(entityTag: entityTag.span.bytes, lastModified: nil), now: response.unixSeconds)
        }
        var isVersioned = false
        if let query = request.query { isVersioned = query.text == version }
        let outcome = conditions.outcome(of: request.method)
        if case .failed = outcome { return response.sendStatus(HTTPStatus(412)) }
        var isNotModified = false
        if case .notModified = outcome { isNotModified = true }
        response.begin(isNotModified ? HTTPStatus(304) : .ok)
        response.field("Cache-Control", isVersioned ? "public, max-age=31536000, immutable" : "no-cache")
        response.field("ETag", entityTag.span.bytes)
        if isNotModified { return response.end() }
        response.field("Content-Type", contentType)
        response.field("X-Content-Type-Options", "nosniff" as StaticString)
        response.end(bytes.span.bytes)
    }
}
