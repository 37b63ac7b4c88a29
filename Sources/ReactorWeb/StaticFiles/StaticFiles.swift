import ConnectionHandling
import ReactorContentCodings
public import ReactorHTTP
import ReactorWire

/// Serves the regular files under a directory: with entity tags and dates, conditions, ranges, index files, and what else
/// ``StaticFileOptions`` asks for. What a link reaches outside the root is not served.
///
/// Make one, and let each connection have a copy: two references. It is an application by itself, or stands behind a route:
/// see ``Router/files(_:_:)``.
///
/// The kernel sends files from its cache, on the connection's own thread: fit for what the cache holds, not for a slow
/// network disk.
public struct StaticFiles: HTTPApplication, Sendable {
    let root: DocumentRoot
    private let shared: SharedOptions
    var options: StaticFileOptions { shared.options }

    /// So that a copy is two references.
    private final class SharedOptions: Sendable {
        static let defaults = SharedOptions(StaticFileOptions())
        let options: StaticFileOptions
        init(_ options: StaticFileOptions) { self.options = options }
    }

    /// With the options' defaults.
    public init(root: DocumentRoot) {
        self.root = root
        shared = SharedOptions.defaults
    }

    public init(root: DocumentRoot, options: StaticFileOptions) {
        self.root = root
        shared = SharedOptions(options)
    }

    public func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        // Behind its slash; `*` has none, and names no file.
        let path = request.path
        serve(request, path: path.extracting(droppingFirst: path.byteCount > 0 && path[0] == UInt8(ascii: "/") ? 1 : 0), with: &response)
    }

    /// Answers with the file at `path` from the root, percent-encoded as it was sent, without a slash before it.
    public func serve(_ request: borrowing RequestView, path: RawSpan, with response: inout ResponseWriter) {
        do {
            let path = try FilePath(path, dotNames: options.dotNames)
            if path.bytes.isEmpty && request.path.byteCount > 0 && request.path[request.path.byteCount - 1] != UInt8(ascii: "/") {
                // The root, by a route whose own path has no slash behind it.
                if !response.refuses(request.method, allowed: .reading) { redirect(request, &response) }
            } else if path.isDirectory {
                serveDirectory(path, request, &response)
            } else {
                serveFile(path, request, &response)
            }
        } catch {
            response.sendStatus(error == .malformed ? .badRequest : .notFound)
        }
    }

    private func serveFile(_ path: FilePath, _ request: borrowing RequestView, _ response: inout ResponseWriter) {
        var refused = Codings()
        while let coding = preferredVariant(request, without: refused) {
            if case .file(let file) = root.find(path.systemPath(Self.ending(of: coding))) {
                return send(file, of: path, in: coding, request, &response)
            }
            refused.insert(coding)
        }
        switch root.find(path.systemPath([])) {
        case .file(let file): send(file, of: path, in: nil, request, &response)
        case .directory:
            if !response.refuses(request.method, allowed: .reading) { redirect(request, &response) }
        case .nothing: response.sendStatus(.notFound)
        case .forbidden: response.sendStatus(.forbidden)
        case .exhausted: response.sendStatus(.serviceUnavailable)
        }
    }

    private func serveDirectory(_ path: FilePath, _ request: borrowing RequestView, _ response: inout ResponseWriter) {
        for name in options.indexFiles {
            guard let index = path.entry(name) else { continue }
            if case .file(let file) = root.find(index.systemPath([])) {
                // The variants of an index file are looked for only if it is there.
                if options.precompressed.isEmpty { return send(file, of: index, in: nil, request, &response) }
                return serveFile(index, request, &response)
            }
        }
        guard options.listsDirectories else { return response.sendStatus(.notFound) }
        switch root.find(path.systemPath(path.bytes.isEmpty ? [UInt8(ascii: ".")] : [])) {
        case .directory(let directory):
            if response.refuses(request.method, allowed: .reading) { return }
            DirectoryListing(directory, at: path, in: root, options).send(request, &response)
        case .forbidden: response.sendStatus(.forbidden)
        case .exhausted: response.sendStatus(.serviceUnavailable)
        default: response.sendStatus(.notFound)
        }
    }

    // MARK: Precompressed variants

    private typealias Codings = Set<ContentCoding>

    /// The coding that the client wants most of those to be looked for, the first among equals.
    private func preferredVariant(_ request: borrowing RequestView, without refused: Codings) -> ContentCoding? {
        if options.precompressed.isEmpty { return nil }
        var best: ContentCoding?
        var weight = request.acceptsEncoding("identity") - 1
        for coding in options.precompressed where !refused.contains(coding) {
            let wanted = request.acceptsEncoding(coding.name)
            if wanted > weight && wanted > 0 {
                best = coding
                weight = wanted
            }
        }
        return best
    }

    private static func ending(of coding: ContentCoding) -> String.UTF8View {
        switch coding {
        case .gzip: ".gz".utf8
        case .br: ".br".utf8
        case .zstd: ".zst".utf8
        case .deflate: ".zz".utf8
        }
    }

    /// To the same path with a slash behind it, so that the page's relative links are right.
    private func redirect(_ request: borrowing RequestView, _ response: inout ResponseWriter) {
        // `//host` would lead to another site, and browsers read `/\host` as that.
        if request.path.byteCount > 1, request.path[1] == UInt8(ascii: "/") || request.path[1] == UInt8(ascii: "\\") {
            return response.sendStatus(.notFound)
        }
        var location = request.path.array
        location.append(UInt8(ascii: "/"))
        if let query = request.query {
            location.append(UInt8(ascii: "?"))
            location.append(contentsOf: query.array)
        }
        response.begin(.movedPermanently)
        response.field("Location", location.span.bytes)
        response.end()
    }
}
