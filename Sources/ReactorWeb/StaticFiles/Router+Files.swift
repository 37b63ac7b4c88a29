import ReactorHTTP
import ReactorWire

extension Router {
    /// Answers GET and HEAD below `path` with files: `/assets` makes `/assets/app.css` the file `app.css` of the root.
    public mutating func files(_ path: String, _ files: StaticFiles) {
        let base = path.hasSuffix("/") ? String(path.dropLast()) : path
        // The root's own name, which lacks its slash: it is sent there.
        if !base.isEmpty { get(base) { request, response in files.serve(request, path: RawSpan(), with: &response) } }
        get(base + "/{path...}") { request, response in
            guard let path = request.rawParameter("path") else { return response.sendStatus(.notFound) }
            files.serve(request, path: path, with: &response)
        }
    }
}
