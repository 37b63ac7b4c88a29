import ConnectionHandling
import Glibc
import ReactorHTTP
import ReactorWire

/// What is in a directory, as far as it would be served.
struct DirectoryListing {
    struct Entry {
        let name: [UInt8]
        let isDirectory: Bool
        /// In bytes; 0 for a directory.
        let size: Int
        /// Seconds since 1970.
        let modified: Int64

        /// Directories first, then by their bytes.
        static func precedes(_ one: Entry, _ other: Entry) -> Bool {
            if one.isDirectory != other.isDirectory { return one.isDirectory }
            return one.name.lexicographicallyPrecedes(other.name)
        }
    }

    let path: FilePath
    private(set) var entries: [Entry] = []
    /// There are more.
    private(set) var isCut = false

    init(_ directory: consuming Descriptor, at path: FilePath, in root: DocumentRoot, _ options: StaticFileOptions) {
        self.path = path
        let number = directory.release()
        guard let stream = fdopendir(number) else {
            close(number)
            return
        }
        defer { closedir(stream) }
        while let next = readdir(stream) {
            let name = Self.name(of: next)
            let isHidden = name.first == UInt8(ascii: ".")
            if isHidden && !FilePath.isListed(String(decoding: name, as: UTF8.self), options.dotNames) { continue }
            if entries.count >= options.mostListed {
                isCut = true
                break
            }
            if let entry = entry(name, number, root) { entries.append(entry) }
        }
        entries.sort(by: Entry.precedes)
    }

    private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
        withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
    }

    /// Nil for what is not served: neither file nor directory, or a link out of the root.
    private func entry(_ name: [UInt8], _ directory: Int32, _ root: DocumentRoot) -> Entry? {
        var status = stat()
        let isThere = (name + [0]).withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            return fstatat(directory, base.assumingMemoryBound(to: CChar.self), &status, AT_SYMLINK_NOFOLLOW) == 0
        }
        guard isThere else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            return Entry(name: name, isDirectory: false, size: Int(status.st_size), modified: Int64(status.st_mtim.tv_sec))
        case S_IFDIR: return Entry(name: name, isDirectory: true, size: 0, modified: Int64(status.st_mtim.tv_sec))
        case S_IFLNK:
            switch root.find(path.systemPath(name)) {
            case .file(let file): return Entry(name: name, isDirectory: false, size: file.length, modified: file.modified)
            case .directory: return Entry(name: name, isDirectory: true, size: 0, modified: Int64(status.st_mtim.tv_sec))
            default: return nil
            }
        default: return nil
        }
    }

    /// As a page, or as JSON to who would have that.
    func send(_ request: borrowing RequestView, _ response: inout ResponseWriter) {
        let wantsJSON = request.preferredMediaType(among: ["text/html", "application/json"]) == 1
        var body = ByteQueue()
        if wantsJSON { writeJSON(to: &body) } else { writePage(of: request.path.text, to: &body) }
        response.begin(.ok)
        response.field("Content-Type", wantsJSON ? "application/json" : "text/html; charset=utf-8")
        response.field("Vary", "Accept")
        // The names are whatever people called their files.
        response.field("X-Content-Type-Options", "nosniff")
        response.field("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
        response.end(body.bytes)
    }
}
