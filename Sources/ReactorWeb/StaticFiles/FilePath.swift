import ReactorHTTP
import ReactorWire

/// A request's path as a path in the file system, relative to the root.
struct FilePath {
    enum Refusal: Error {
        /// The percent-encoding is broken, or hides a NUL.
        case malformed
        /// No file is served under that name.
        case refused
    }

    /// Without a NUL behind it. Empty for the root.
    private(set) var bytes: [UInt8]
    /// It ends with a slash, or is the root's.
    var isDirectory: Bool { bytes.last.map { $0 == UInt8(ascii: "/") } ?? true }

    /// Decodes `path`, which has no slash before it.
    ///
    /// Refused are `.` and `..`; other names that begin with a dot, but for `dotNames`; empty names, because `//host/` in
    /// a redirect would lead to another site; and an encoded slash, because it is not a separator.
    init(_ path: RawSpan, dotNames: Set<String>) throws(Refusal) {
        bytes = []
        bytes.reserveCapacity(path.byteCount + 16)
        var nameStart = 0
        var offset = 0
        while offset < path.byteCount {
            var byte = path[offset]
            offset += 1
            if byte == UInt8(ascii: "/") {
                if !Self.isServed(bytes[nameStart...], dotNames) { throw .refused }
                bytes.append(byte)
                nameStart = bytes.count
                continue
            }
            if byte == UInt8(ascii: "%") {
                guard offset + 2 <= path.byteCount, let high = hexDigit(path[offset]), let low = hexDigit(path[offset + 1])
                else { throw .malformed }
                byte = high << 4 | low
                offset += 2
                if byte == 0 { throw .malformed }
                if byte == UInt8(ascii: "/") { throw .refused }
            }
            bytes.append(byte)
        }
        if nameStart < bytes.count && !Self.isServed(bytes[nameStart...], dotNames) { throw .refused }
    }

    private static func isServed(_ name: ArraySlice<UInt8>, _ dotNames: Set<String>) -> Bool {
        guard let first = name.first else { return false }
        return first != UInt8(ascii: ".") || isListed(String(decoding: name, as: UTF8.self), dotNames)
    }

    /// A name that begins with a dot is among those to be served; `.` and `..` never are.
    static func isListed(_ name: String, _ dotNames: Set<String>) -> Bool { name != "." && name != ".." && dotNames.contains(name) }

    /// With `suffix` behind it, and a NUL for the system.
    func systemPath<Suffix: Sequence<UInt8>>(_ suffix: Suffix) -> [UInt8] {
        var path = bytes
        path.append(contentsOf: suffix)
        path.append(0)
        return path
    }
}

extension FilePath {
    /// Of a name in this directory; nil for one that is no single name.
    func entry(_ name: String) -> FilePath? {
        if name.isEmpty || name.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "/") }) { return nil }
        var entry = self
        entry.bytes.append(contentsOf: name.utf8)
        return entry
    }
}
