import Dispatch
import ReactorHTTP
import ReactorWire

extension Request {
    /// Receives the body as `multipart/form-data`: values into memory, files into temporary files, as they come. The route has to
    /// have its body streamed for it to be longer than memory should hold.
    ///
    /// ```swift
    /// router.post("/upload", .streamed(limit: 1 << 30)) { request in
    ///     let form = try await request.receiveForm(into: "/var/spool/uploads")
    ///     …
    /// }
    /// ```
    ///
    /// - Parameter directory: where the temporary files are put; see ``FormUpload``.
    /// - Throws: ``MultipartViolation``, ``UploadFailure``.
    public func receiveForm(into directory: String, limits: MultipartLimits = .default) async throws -> UploadedForm {
        var parser = try MultipartParser(contentType: Array((field("content-type") ?? "").utf8).span.bytes, limits: limits)
        var gathered = GatheredParts(limits: limits)
        let writer = UploadWriter(directory: directory)
        for try await piece in body {
            try parser.receive(piece.span.bytes, into: &gathered)
            if gathered.waiting >= FormUpload.batch { try await gathered.write(by: writer) }
        }
        try parser.finish()
        try await gathered.write(by: writer)
        return gathered.form
    }
}

extension GatheredParts {
    /// Writes what has gathered, on a thread that may block.
    fileprivate mutating func write(by writer: UploadWriter) async throws {
        let steps = takeSteps()
        if steps.isEmpty { return }
        form.files += try await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: Result { () throws(UploadFailure) in try writer.run(steps) })
            }
        }.get()
    }
}
