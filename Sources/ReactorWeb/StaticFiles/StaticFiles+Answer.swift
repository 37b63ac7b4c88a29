import ConnectionHandling
import HTTPTypes
import ReactorContentCodings
import ReactorHTTP
import ReactorWire

/// One file as an answer.
extension StaticFiles {
    func send(
        _ file: consuming FoundFile, of path: FilePath, in coding: ContentCoding?, _ request: borrowing RequestView,
        _ response: inout ResponseWriter
    ) {
        if response.refuses(request.method, allowed: .reading) { return }
        let tag = FileTag(file, coding)
        // Never later than the answer (RFC 9110 section 8.8.2.1).
        let modified = min(file.modified, response.unixSeconds)
        let conditions = Self.conditions(of: request, tag, modified, response.unixSeconds)
        switch conditions.outcome(of: request.method) {
        case .failed: return response.sendStatus(.preconditionFailed)
        case .notModified:
            response.begin(.notModified)
            validatorFields(tag, modified, &response)
            return response.end()
        case .proceed: break
        }
        var ranges = ByteRanges.whole
        // For no other method are ranges defined (RFC 9110 section 14.2).
        if request.method == .get, conditions.allowsRange, let field = request.field("range") {
            ranges = ByteRanges(field, length: file.length, most: options.mostRanges)
        }
        let type = options.mediaTypes.type(of: path.bytes.span.bytes)
        func begin(_ status: HTTPStatus, _ response: inout ResponseWriter) {
            response.begin(status)
            validatorFields(tag, modified, &response)
            if let coding { response.field("Content-Encoding", coding.name) }
        }
        switch ranges {
        case .whole:
            begin(.ok, &response)
            response.field("Accept-Ranges", "bytes")
            response.field("Content-Type", type.span.bytes)
            sendWhole(file, request, &response)
        case .unsatisfiable:
            response.sendStatus(.rangeNotSatisfiable, [.contentRange: "bytes */\(file.length)"])
        case .one(let range):
            begin(.partialContent, &response)
            response.field("Content-Type", type.span.bytes)
            response.field("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(file.length)")
            response.startBody(length: range.count)
            response.write(file.intoOpenFile(), from: range.lowerBound, count: range.count)
            response.end()
        case .several(let ranges):
            begin(.partialContent, &response)
            let parts = MultipartRanges(ranges, length: file.length, contentType: String(decoding: type, as: UTF8.self))
            Self.send(parts, of: file.intoOpenFile(), &response)
        }
    }

    private static func conditions(
        of request: borrowing RequestView, _ tag: borrowing FileTag, _ modified: Int64, _ now: Int64
    ) -> Preconditions {
        var conditions = Preconditions()
        let current = Validators(entityTag: tag.bytes, lastModified: modified)
        for index in 0..<request.fieldCount {
            conditions.read(request.fieldName(index), request.fieldValue(index), against: current, now: now)
        }
        return conditions
    }

    /// What a 304 has as well (RFC 9110 section 15.4.5).
    private func validatorFields(_ tag: borrowing FileTag, _ modified: Int64, _ response: inout ResponseWriter) {
        response.field("ETag", tag.bytes)
        response.field("Last-Modified", unixSeconds: modified)
        if let cacheControl = options.cacheControl { response.field("Cache-Control", cacheControl) }
        if let expires = options.expires { response.field("Expires", unixSeconds: response.unixSeconds + expires.components.seconds) }
        if !options.precompressed.isEmpty { response.field("Vary", "Accept-Encoding") }
    }

    private func sendWhole(_ file: consuming FoundFile, _ request: borrowing RequestView, _ response: inout ResponseWriter) {
        let length = file.length
        if request.method == .get && length <= options.readUpTo {
            let isSent = withUnsafeTemporaryAllocation(byteCount: max(length, 1), alignment: 16) { buffer in
                guard file.read(into: buffer) else { return false }
                response.end(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[..<length])))
                return true
            }
            // If it has become shorter, what follows cuts the connection off.
            if isSent { return }
        }
        response.startBody(length: length)
        response.write(file.intoOpenFile(), count: length)
        response.end()
    }

    private static func send(_ parts: MultipartRanges, of file: OpenFile, _ response: inout ResponseWriter) {
        response.field("Content-Type", parts.mediaType)
        response.startBody(length: parts.contentLength)
        for (index, range) in parts.ranges.enumerated() {
            response.write(Array(parts.partHead(index).utf8).span.bytes)
            response.write(file, from: range.lowerBound, count: range.count)
        }
        response.write(Array(parts.end.utf8).span.bytes)
        response.end()
    }
}
