public import ConnectionHandling
public import ReactorHTTP
public import ReactorWire

/// A form that was received: its fields, and its files in temporary files.
public struct UploadedForm: Sendable {
    public internal(set) var fields = FormFields()
    public internal(set) var files: [UploadedFile] = []
}

/// Receives `multipart/form-data` of any length for a streamed handler: values into memory, files onto the disk, off the
/// loop. While it writes, the body waits, so that no more than ``batch`` bytes of it are in memory.
///
/// An ``ReactorHTTP/HTTPApplication`` makes one in `respond`, and passes on `received`, `bodyEnded` and `answered`, the last
/// of which hands over the form. Whatever is thrown is answered with its status, and 500 for an ``UploadFailure``.
public struct FormUpload: ~Copyable {
    /// So many bytes are written at a time. 256 KiB: a call each for bodies as they come would cost more than it writes.
    static let batch = 256 * 1024

    private var parser: MultipartParser
    private var gathered: GatheredParts
    private let writer: UploadWriter
    private var writing: Awaited<[UploadedFile]>?
    private var hasEnded = false

    /// - Parameters:
    ///   - contentType: the request's.
    ///   - directory: where the temporary files are put. One that only the server can read, on the file system where the
    ///     files are to stay.
    public init(contentType: RawSpan, directory: String, limits: MultipartLimits = .default) throws(MultipartViolation) {
        parser = try MultipartParser(contentType: contentType, limits: limits)
        gathered = GatheredParts(limits: limits)
        writer = UploadWriter(directory: directory)
    }

    public mutating func received(_ body: RawSpan, with response: inout ResponseWriter) throws(MultipartViolation) {
        try parser.receive(body, into: &gathered)
        if gathered.waiting >= Self.batch { write(with: &response) }
    }

    /// - Returns: the form, if it has no file and so nothing waits to be written; nil if ``answered(with:)`` will return it.
    public mutating func bodyEnded(with response: inout ResponseWriter) throws(MultipartViolation) -> UploadedForm? {
        try parser.finish()
        hasEnded = true
        if gathered.steps.isEmpty, writing == nil { return gathered.form }
        if writing == nil { write(with: &response) }
        return nil
    }

    /// - Returns: the form, once all of it is written.
    /// - Throws: ``UploadFailure``.
    public mutating func answered(with response: inout ResponseWriter) throws -> UploadedForm? {
        guard let result = writing?.take() else { return nil }
        writing = nil
        gathered.form.files += try result.get()
        if !gathered.steps.isEmpty, hasEnded || gathered.waiting >= Self.batch {
            write(with: &response)
            return nil
        }
        return hasEnded ? gathered.form : nil
    }

    private mutating func write(with response: inout ResponseWriter) {
        // What came although the body was to wait is written with the next batch.
        if writing != nil { return }
        let steps = gathered.takeSteps()
        writing = response.perform { [writer] in try writer.run(steps) }
    }
}

/// Parts as they come: values as they are, files as steps to be done.
struct GatheredParts: MultipartReceiver {
    private enum Part {
        case none
        case value(name: String, [UInt8])
        case file
    }

    let limits: MultipartLimits
    var form = UploadedForm()
    private(set) var steps: [UploadStep] = []
    /// Bytes that wait to be written.
    private(set) var waiting = 0
    private var part = Part.none
    private var bytesOfValues = 0
    private var files = 0

    init(limits: MultipartLimits) { self.limits = limits }

    mutating func partBegan(_ head: MultipartHead) throws(MultipartViolation) {
        guard head.isFile else {
            part = .value(name: head.name, [])
            return
        }
        files += 1
        if files > limits.files { throw .tooManyFiles }
        part = .file
        steps.append(.open(head))
    }

    mutating func partReceived(_ bytes: RawSpan) throws(MultipartViolation) {
        switch part {
        case .none: return
        case .value(let name, var value):
            part = .none
            bytesOfValues += bytes.byteCount
            if value.count + bytes.byteCount > limits.value || bytesOfValues > limits.values { throw .valueTooLarge }
            append(bytes, to: &value)
            part = .value(name: name, value)
        case .file:
            waiting += bytes.byteCount
            if case .write(var last)? = steps.last {
                steps.removeLast()
                append(bytes, to: &last)
                steps.append(.write(last))
            } else {
                steps.append(.write(bytes.array))
            }
        }
    }

    mutating func partEnded() throws(MultipartViolation) {
        switch part {
        case .none: break
        case .value(let name, let value): form.fields.append(name, String(decoding: value, as: UTF8.self))
        case .file: steps.append(.close)
        }
        part = .none
    }

    mutating func takeSteps() -> [UploadStep] {
        defer {
            steps = []
            waiting = 0
        }
        return steps
    }

    private func append(_ bytes: RawSpan, to array: inout [UInt8]) {
        bytes.withUnsafeBytes { array.append(contentsOf: $0) }
    }
}
