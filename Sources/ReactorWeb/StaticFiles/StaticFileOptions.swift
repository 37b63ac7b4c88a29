public import ReactorContentCodings

/// How ``StaticFiles`` serves. The defaults are nginx's but where it says otherwise.
public struct StaticFileOptions: Sendable {
    /// What is served for a directory: the first of these that is there.
    public var indexFiles = ["index.html"]
    /// A directory without an index file is shown as a list of what is in it. Off: names are nobody's business unless they
    /// are meant to be.
    public var listsDirectories = false
    /// Entries that a list shows at most; the others are left out, which it says. 10,000: reading them takes some 10 ms
    /// of the loop's thread.
    public var mostListed = 10_000
    /// Names that begin with a dot, and are served nevertheless, such as `.well-known` (RFC 8615). None: `.git` and `.env`
    /// have been found by too many. nginx serves them all.
    public var dotNames: Set<String> = []
    /// The Content-Type of files, by the endings of their names.
    public var mediaTypes = MediaTypes()
    /// Codings whose files, `page.html.br` beside `page.html`, are sent to clients that accept them, by preference where a
    /// client has none. None, as nginx's gzip_static: each costs a look for a file with each request.
    public var precompressed: [ContentCoding] = []
    /// What Cache-Control says, such as `public, max-age=3600`. Nothing.
    public var cacheControl: String?
    /// How long after the answer Expires is. No such field.
    public var expires: Duration?
    /// Ranges of a file that one answer has at most; who asks for more gets the whole.
    public var mostRanges = 32
    /// Files of up to so many bytes are read and sent with their fields in one call, larger ones by sendfile(2). 16 KiB:
    /// there reading costs a tenth less, measured over loopback. They are read whole before their fields are sent.
    public var readUpTo = 16 * 1024

    public init() {}
}
