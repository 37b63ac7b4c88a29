import ConnectionHandling
import Glibc
import ReactorWire
import Synchronization

/// What is to be done with files, gathered on the loop and done elsewhere.
enum UploadStep: Sendable {
    case open(MultipartHead)
    case write([UInt8])
    case close
}

/// Writes temporary files. One batch of steps at a time: the form waits for each.
final class UploadWriter: Sendable {
    private struct Current: ~Copyable {
        let head: MultipartHead
        let path: String
        let descriptor: Descriptor
        var size = 0
        var digest = RunningDigest(.sha256)

        consuming func finish() -> UploadedFile {
            UploadedFile(head: head, path: path, size: size, sha256: digest.finish())
        }
    }

    private struct State: ~Copyable {
        var current: Current?
    }

    private let directory: String
    private let state = Mutex(State())

    init(directory: String) { self.directory = directory }

    deinit {
        // A file that was begun and not ended has no `UploadedFile` to remove it.
        state.withLock { state in
            if let current = state.current.take() { unlink(current.path) }
        }
    }

    /// Does what `steps` say, and returns the files that were ended.
    func run(_ steps: [UploadStep]) throws(UploadFailure) -> [UploadedFile] {
        let result = state.withLock { state -> Result<[UploadedFile], UploadFailure> in
            do throws(UploadFailure) {
                var ended: [UploadedFile] = []
                for step in steps {
                    switch step {
                    case .open(let head): state.current = try open(head)
                    case .write(let bytes): try Self.write(bytes, to: &state.current)
                    case .close: if let file = Self.close(&state.current) { ended.append(file) }
                    }
                }
                return .success(ended)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func open(_ head: MultipartHead) throws(UploadFailure) -> Current {
        guard let random = try? randomBytes(16) else { throw UploadFailure("getrandom", EIO) }
        let path = "\(directory)/upload-\(TextCode.hex(random))"
        // Readable by nobody else, and never what somebody has put there.
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if descriptor < 0 { throw UploadFailure("open", errno) }
        return Current(head: head, path: path, descriptor: Descriptor(owning: descriptor))
    }

    private static func write(_ bytes: [UInt8], to current: inout Current?) throws(UploadFailure) {
        guard var file = current.take() else { return }
        var failure: UploadFailure?
        var written = 0
        while written < bytes.count, failure == nil {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(file.descriptor.number, $0.baseAddress, $0.count) }
            if count >= 0 { written += count } else if errno != EINTR { failure = UploadFailure("write", errno) }
        }
        file.digest.update(bytes.span.bytes)
        file.size += bytes.count
        current = consume file
        if let failure { throw failure }
    }

    private static func close(_ current: inout Current?) -> UploadedFile? {
        guard let file = current.take() else { return nil }
        return file.finish()
    }
}
