import Glibc
import ReactorSMTP

/// The files of large contents: `content/` in the spool's directory.
///
/// A file is on the disk, name included, before the row that names it; and the row is gone from the disk before the file
/// is. So a crash leaves a file that nobody names, never a row without its file.
struct ContentFolder: Sendable {
    let directory: String
    private var path: String { SpoolDirectory.contents(in: directory) }

    /// Makes the file of the message `id`, which it is named after: so that it is known whose it is.
    func makeFile(for id: QueueID) throws(SpoolError) -> ContentFile {
        guard Self.isName(id.text) else { throw .unusable(directory: directory, reason: "'\(id)' cannot be a file's name") }
        do throws(ContentFileError) {
            return try ContentFile(creating: path + "/" + id.text)
        } catch {
            throw spoolError(error)
        }
    }

    /// Opens the file that a row names.
    ///
    /// - Returns: nil if it is not whole, or not there.
    func open(_ name: String, size: Int) throws(ContentFileError) -> ContentFile? {
        guard Self.isName(name) else { return nil }
        do throws(ContentFileError) {
            let file = try ContentFile(reading: path + "/" + name)
            return file.size == size ? file : nil
        } catch {
            // Descriptors or memory that are missing now say nothing about the file.
            if [ENOENT, ENOTDIR, ELOOP, ENXIO, EISDIR, EIO, EACCES].contains(error.code) { return nil }
            throw error
        }
    }

    /// Returns once the files are on the disk, names included.
    func synchronize(_ files: [(id: QueueID, file: ContentFile)]) throws(SpoolError) {
        for (id, file) in files {
            guard file.path == path + "/" + id.text else {
                throw .database(directory: directory, reason: "'\(file.path)' is not the file of \(id)")
            }
            do throws(ContentFileError) { try file.synchronize() } catch { throw spoolError(error) }
            var status = stat()
            // Somebody may have tidied up too much; or a clock that jumped made the file look old.
            if stat(file.path, &status) != 0 || Int(status.st_size) != file.size {
                throw .database(directory: directory, reason: "'\(file.path)' was taken away")
            }
        }
        try SpoolDirectory.synchronize(path, of: directory)
    }

    func remove(_ name: String) {
        if Self.isName(name) { unlink(path + "/" + name) }
    }

    /// Names of files that nobody has written to for `age` seconds.
    func oldFiles(age: Int64) -> [String] {
        guard let listing = opendir(path) else { return [] }
        defer { closedir(listing) }
        let now = Int64(time(nil))
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            var status = stat()
            guard Self.isName(name), stat(path + "/" + name, &status) == 0 else { continue }
            if now - Int64(status.st_mtim.tv_sec) >= age { names.append(name) }
        }
        return names
    }

    /// What a queue id looks like: nothing that leads elsewhere.
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64 && text.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0 & 0xDF)
        }
    }

    private func spoolError(_ error: ContentFileError) -> SpoolError {
        error.isFull ? .full(directory: directory) : .unusable(directory: directory, reason: error.description)
    }
}
