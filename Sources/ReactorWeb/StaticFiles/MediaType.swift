import ReactorWire

/// The Content-Type of a file, by the ending of its name.
enum MediaType {
    private static let endings: [(StaticString, StaticString)] = [
        ("html", "text/html; charset=utf-8"), ("htm", "text/html; charset=utf-8"),
        ("css", "text/css; charset=utf-8"), ("js", "text/javascript; charset=utf-8"),
        ("mjs", "text/javascript; charset=utf-8"), ("txt", "text/plain; charset=utf-8"),
        ("md", "text/markdown; charset=utf-8"), ("csv", "text/csv; charset=utf-8"),
        ("json", "application/json"), ("xml", "application/xml"), ("pdf", "application/pdf"),
        ("wasm", "application/wasm"), ("zip", "application/zip"), ("gz", "application/gzip"),
        ("png", "image/png"), ("jpg", "image/jpeg"), ("jpeg", "image/jpeg"), ("gif", "image/gif"),
        ("svg", "image/svg+xml"), ("webp", "image/webp"), ("avif", "image/avif"), ("ico", "image/x-icon"),
        ("woff", "font/woff"), ("woff2", "font/woff2"), ("ttf", "font/ttf"), ("otf", "font/otf"),
        ("mp3", "audio/mpeg"), ("ogg", "audio/ogg"), ("mp4", "video/mp4"), ("webm", "video/webm"),
    ]

    /// `path` has a NUL behind it. What has no known ending is a row of bytes.
    static func of(_ path: [UInt8]) -> StaticString {
        let name = path.dropLast()
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return "application/octet-stream" }
        let ending = path.span.bytes.slice(dot + 1..<name.endIndex)
        for (known, type) in endings where ending.equalsIgnoringCase(known) { return type }
        return "application/octet-stream"
    }
}
