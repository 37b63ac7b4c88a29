import ReactorWire

/// Serves the regular files under a directory, `index.html` for a directory in it. Names that begin with a dot are not
/// served, nor is anything that a link reaches outside the root.
///
/// Files are read on the connection's own thread: fit for what the page cache holds, not for a slow network disk.
public struct StaticFiles: HTTPApplication, ~Copyable {
    private let root: DocumentRoot
    private var transfer: Transfer?

    private struct Transfer: ~Copyable {
        let file: OpenFile
        var remaining: Int
    }

    /// 64 KiB: large enough to make the calls few, small beside what may wait on a connection.
    private static let chunk = 64 * 1024

    public init(root: DocumentRoot) { self.root = root }

    public mutating func respond(to request: borrowing HTTPRequest, with response: inout HTTPResponse) {
        let path: [UInt8]
        switch FilePath.decode(request.path) {
        case .path(let decoded): path = decoded
        case .malformed: return response.sendStatus(.badRequest)
        case .refused: return response.sendStatus(.notFound)
        }
        switch root.find(path) {
        case .file(let file):
            if response.refuses(request.method, allowed: .reading) { return }
            send(file, MediaType.of(path), isHead: request.method == .head, &response)
        case .directory:
            if response.refuses(request.method, allowed: .reading) { return }
            redirect(request, &response)
        case .nothing: response.sendStatus(.notFound)
        case .forbidden: response.sendStatus(.forbidden)
        case .exhausted: response.sendStatus(.serviceUnavailable)
        }
    }

    public mutating func drained(_ response: inout HTTPResponse) {
        guard var transfer = transfer.take() else { return }
        while transfer.remaining > 0 && !response.isBackedUp {
            let count = response.fillBody(min(transfer.remaining, Self.chunk)) { transfer.file.read(into: $0) }
            // The file has shrunk, or the disk failed: the length that was announced cannot be kept.
            if count == 0 { return response.abort() }
            transfer.remaining -= count
        }
        if transfer.remaining == 0 {
            response.end()
        } else {
            self.transfer = consume transfer
        }
    }

    private mutating func send(
        _ file: consuming OpenFile, _ type: StaticString, isHead: Bool, _ response: inout HTTPResponse
    ) {
        response.begin(.ok)
        response.field("Content-Type", type)
        // Never later than the answer (RFC 9110 section 8.8.2.1).
        response.field("Last-Modified", unixSeconds: min(file.modified, response.unixSeconds))
        response.startBody(length: file.length)
        // Nothing is read that would not be sent.
        let length = isHead ? 0 : file.length
        transfer = Transfer(file: file, remaining: length)
        drained(&response)
    }

    /// To the same path with a slash behind it, so that the page's relative links are right.
    private func redirect(_ request: borrowing HTTPRequest, _ response: inout HTTPResponse) {
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
