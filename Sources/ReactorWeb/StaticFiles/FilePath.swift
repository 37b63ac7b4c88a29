import ReactorHTTP
import ReactorWire

/// A request's path as a path in the file system.
enum FilePath {
    enum Result: Equatable {
        /// Relative to the root, with a NUL behind it.
        case path([UInt8])
        /// The percent-encoding is broken, or hides a NUL.
        case malformed
        /// No file is served under that name.
        case refused
    }

    /// Decodes `path`, and completes a directory's with `index.html`.
    ///
    /// Refused are `.`, `..` and every other name that begins with a dot; empty names, because `//host/` in a redirect
    /// would lead to another site; and an encoded slash, because it is not a separator.
    static func decode(_ path: RawSpan) -> Result {
        guard path.byteCount > 0, path[0] == UInt8(ascii: "/") else { return .refused }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(path.byteCount + 11)
        var nameStart = 0
        var offset = 1
        while offset < path.byteCount {
            var byte = path[offset]
            offset += 1
            if byte == UInt8(ascii: "/") {
                if !isServed(decoded[nameStart...]) { return .refused }
                decoded.append(byte)
                nameStart = decoded.count
                continue
            }
            if byte == UInt8(ascii: "%") {
                guard offset + 2 <= path.byteCount, let high = hexDigit(path[offset]), let low = hexDigit(path[offset + 1])
                else { return .malformed }
                byte = high << 4 | low
                offset += 2
                if byte == 0 { return .malformed }
                if byte == UInt8(ascii: "/") { return .refused }
            }
            decoded.append(byte)
        }
        if nameStart == decoded.count { decoded.append(contentsOf: "index.html".utf8) }
        if !isServed(decoded[nameStart...]) { return .refused }
        decoded.append(0)
        return .path(decoded)
    }

    private static func isServed(_ name: ArraySlice<UInt8>) -> Bool {
        if let first = name.first { first != UInt8(ascii: ".") } else { false }
    }
}
