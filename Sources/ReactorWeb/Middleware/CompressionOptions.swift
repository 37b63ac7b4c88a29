// Part of how an application sets things up: it imports one module.
@_exported public import ReactorContentCodings

/// Which answers ``Compression`` encodes, and how.
public struct CompressionOptions: Sendable {
    /// The codings offered, by preference where a client has none. zstd first: as small as gzip, for a third of the time.
    /// Not deflate: what it names was misunderstood too often.
    public var codings: [ContentCoding] = [.zstd, .br, .gzip]
    /// Shorter bodies are left as they are. 1 KiB: it fits in a packet with its fields anyhow. nginx begins at 20 bytes.
    public var shortest = 1024
    /// Longer bodies whose length is known are left as they are. 1 MiB: that takes some 10 ms of the loop's thread.
    /// Bodies written piece by piece have no such limit, since other connections get their turn between two pieces.
    public var longest = 1024 * 1024
    /// Media types worth it: whole ones, `type/*` and `*+suffix`. Images, sound, video and archives are compressed already.
    public var mediaTypes = [
        "text/*", "*+json", "*+xml", "application/json", "application/javascript", "application/x-javascript",
        "application/xml", "application/wasm", "application/yaml", "application/sql", "application/x-ndjson",
        "image/x-icon", "image/bmp", "font/ttf", "font/otf", "application/vnd.ms-fontobject",
    ]
    public var encoder = ContentEncoderOptions()
    /// Of server-sent events, which stay open.
    public var eventStreams = ContentEncoderOptions.longLived

    public init() {}
}
