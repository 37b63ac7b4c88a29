import ReactorHTTP
import ReactorWire

extension Router {
    /// Answers GET and HEAD below `path` with files: `/assets` makes `/assets/app.css` the file `app.css` of the root.
    public mutating func files(_ path: String, _ files: StaticFiles) {
        let base = path.hasSuffix("/") ? String(path.dropLast()) : path
        get(base + "/{path...}") { request, response in
            guard let path = request.rawParameter("path") else { return response.sendStatus(.notFound) }
            files.serve(request, path: path, with: &response)
        }
    }
}
