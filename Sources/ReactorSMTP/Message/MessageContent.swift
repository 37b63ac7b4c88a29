/// A message's header and body, trace header included, in lines that end in CRLF, dots not stuffed; or any bytes at all,
/// where the body is BINARYMIME.
///
/// Small ones are held in memory, large ones stay in a file, so that what a relay needs of memory does not depend on what
/// is sent through it.
public enum MessageContent: Sendable {
    case bytes([UInt8])
    case file(ContentFile)

    /// In bytes.
    public var size: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .file(let file): file.size
        }
    }

    /// Appends the bytes from `offset` on, `count` at most, to `buffer`. Fewer only at the end.
    public func read(from offset: Int, upTo count: Int, into buffer: inout [UInt8]) throws(ContentFileError) {
        switch self {
        case .bytes(let bytes):
            let start = min(max(offset, 0), bytes.count)
            buffer.append(contentsOf: bytes[start..<min(start + max(count, 0), bytes.count)])
        case .file(let file): try file.read(from: offset, upTo: count, into: &buffer)
        }
    }
}
