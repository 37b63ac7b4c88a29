import ConnectionHandling
public import ReactorHTTP
import ReactorWire

/// Serves the regular files under a directory, `index.html` for a directory in it. Names that begin with a dot are not
/// served, nor is anything that a link reaches outside the root.
///
/// The kernel sends files from its cache, on the connection's own thread: fit for what the cache holds, not for a slow
/// network disk.
public struct StaticFiles: HTTPApplication {
    private let root: DocumentRoot

    public init(root: DocumentRoot) { self.root = root }

    public func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        let path: [UInt8]
        switch FilePath.decode(request.path) {
        case .path(let decoded): path = decoded
        case .malformed: return response.sendStatus(.badRequest)
        case .refused: return response.sendStatus(.notFound)
        }
        switch root.find(path) {
        case .file(let file):
            if response.refuses(request.method, allowed: .reading) { return }
            send(file, MediaType.of(path), &response)
        case .directory:
            if response.refuses(request.method, allowed: .reading) { return }
            redirect(request, &response)
        case .nothing: response.sendStatus(.notFound)
        case .forbidden: response.sendStatus(.forbidden)
        case .exhausted: response.sendStatus(.serviceUnavailable)
        }
    }

    private func send(_ found: FoundFile, _ type: StaticString, _ response: inout ResponseWriter) {
        response.begin(.ok)
        response.field("Content-Type", type)
        // Never later than the answer (RFC 9110 section 8.8.2.1).
        response.field("Last-Modified", unixSeconds: min(found.modified, response.unixSeconds))
        response.startBody(length: found.length)
        response.write(found.file, count: found.length)
        response.end()
    }

    /// To the same path with a slash behind it, so that the page's relative links are right.
    private func redirect(_ request: borrowing RequestView, _ response: inout ResponseWriter) {
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
