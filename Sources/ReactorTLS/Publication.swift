import CReactorTLS
import Glibc

/// The files that a server's configuration was last read from, as they were then, for the processes forked from the one
/// that read them: their own reading, later, might find others, half of them, or none. In memory that has no name.
final class Publication: Sendable {
    private nonisolated(unsafe) let counter: UnsafeMutableRawPointer
    private let descriptor: CInt

    init() throws(TLSConfigurationError) {
        let descriptor = creactor_memory_file()
        guard descriptor >= 0, let counter = creactor_shared_counter_new() else {
            if descriptor >= 0 { close(descriptor) }
            throw .library("TLS", "no memory to share with other processes")
        }
        self.descriptor = descriptor
        self.counter = counter
    }

    deinit {
        creactor_shared_counter_free(counter)
        close(descriptor)
    }

    /// Grows with each publication; odd while one is under way.
    var number: UInt32 { creactor_shared_counter_value(counter) }

    /// Makes `files` what other processes read, and says which publication that is. Not by two processes at once.
    func publish(_ files: TLSFiles) -> UInt32 {
        _ = creactor_shared_counter_add(counter)
        let bytes = files.encoded
        ftruncate(descriptor, 0)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(written)) }
            if count <= 0 { break }
            written += count
        }
        return creactor_shared_counter_add(counter)
    }

    /// Nil while one is being published: there is a later time.
    func read() -> (files: TLSFiles, number: UInt32)? {
        let before = number
        var status = stat()
        guard before % 2 == 0, fstat(descriptor, &status) == 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes[filled...].withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(filled)) }
            if count <= 0 { return nil }
            filled += count
        }
        guard number == before, let files = TLSFiles(encoded: bytes) else { return nil }
        return (files, before)
    }
}

/// The contents of files, by their paths.
struct TLSFiles: Sendable {
    private var contents: [String: [UInt8]] = [:]

    init() {}

    /// What a source holds, read once for each path.
    mutating func take(_ source: TLSSource) throws(TLSConfigurationError) -> TLSSource {
        guard let path = source.path else { return source }
        let bytes: [UInt8]
        if let known = contents[path] { bytes = known } else { bytes = try source.load() }
        contents[path] = bytes
        return TLSSource(path: path, content: bytes)
    }

    /// Each path and each content behind its length.
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for (path, content) in contents {
            for part in [Array(path.utf8), content] {
                withUnsafeBytes(of: UInt64(part.count)) { bytes += $0 }
                bytes += part
            }
        }
        return bytes
    }

    init?(encoded bytes: [UInt8]) {
        var rest = bytes[...]
        func next() -> [UInt8]? {
            guard rest.count >= 8 else { return nil }
            let count = rest.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
            rest = rest.dropFirst(8)
            guard count <= UInt64(rest.count) else { return nil }
            defer { rest = rest.dropFirst(Int(count)) }
            return Array(rest.prefix(Int(count)))
        }
        while !rest.isEmpty {
            guard let path = next(), let content = next() else { return nil }
            contents[String(decoding: path, as: UTF8.self)] = content
        }
    }
}
