import ReactorTesting
import ReactorWeb
import ReactorWire

/// Parts as they were received.
struct Gathered: MultipartReceiver, Equatable {
    struct Part: Equatable {
        var name: String
        var filename: String?
        var contentType: String?
        var bytes: [UInt8] = []
        var hasEnded = false
    }
    var parts: [Part] = []

    mutating func partBegan(_ head: MultipartHead) throws(MultipartViolation) {
        parts.append(Part(name: head.name, filename: head.filename, contentType: head.contentType))
    }
    mutating func partReceived(_ bytes: RawSpan) throws(MultipartViolation) { parts[parts.count - 1].bytes += bytes.array }
    mutating func partEnded() throws(MultipartViolation) { parts[parts.count - 1].hasEnded = true }
}

/// Feeds `body` in pieces of the lengths that `cut` gives.
func gather(
    _ body: [UInt8], boundary: String = "AaB03x", limits: MultipartLimits = .default, cut: (Int) -> Int = { $0 }
) throws(MultipartViolation) -> Gathered {
    let type = Array("multipart/form-data; boundary=\"\(boundary)\"".utf8)
    var parser = try MultipartParser(contentType: type.span.bytes, limits: limits)
    var gathered = Gathered()
    var offset = 0
    while offset < body.count {
        let count = max(1, min(cut(body.count - offset), body.count - offset))
        try parser.receive(body.span.bytes.slice(offset..<offset + count), into: &gathered)
        offset += count
    }
    try parser.finish()
    return gathered
}

func gather(_ body: String, limits: MultipartLimits = .default) throws(MultipartViolation) -> Gathered {
    try gather(Array(body.utf8), limits: limits)
}

/// A body with one part for each of `contents`.
func formData(_ contents: [[UInt8]], boundary: String = "AaB03x") -> [UInt8] {
    var body: [UInt8] = []
    for (index, content) in contents.enumerated() {
        body += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"f\(index)\"; filename=\"\(index).bin\"\r\n\r\n".utf8)
        body += content + Array("\r\n".utf8)
    }
    return body + Array("--\(boundary)--\r\n".utf8)
}
