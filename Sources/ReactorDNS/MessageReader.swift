import ReactorWire

/// Reads through a message, front to back. Whatever the bytes say, it stays within them.
struct MessageReader: ~Escapable {
    let bytes: RawSpan
    private(set) var offset: Int
    /// Where the record's data ends that is being read; the end of the message otherwise.
    private(set) var end: Int

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) {
        self.bytes = bytes
        offset = 0
        end = bytes.byteCount
    }

    /// - Throws: ``DNSViolation/truncated(at:)``, as all that follow.
    mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(as type: Value.Type = Value.self) throws(DNSViolation) -> Value {
        let width = MemoryLayout<Value>.size
        guard end - offset >= width, let value = bytes.integer(at: offset, as: type) else { throw .truncated(at: offset) }
        offset += width
        return value
    }

    mutating func array(_ count: Int) throws(DNSViolation) -> [UInt8] {
        guard count >= 0, end - offset >= count else { throw .truncated(at: offset) }
        defer { offset += count }
        return bytes.slice(offset..<offset + count).array
    }

    /// A character-string (RFC 1035 section 3.3).
    mutating func string() throws(DNSViolation) -> [UInt8] { try array(Int(integer(as: UInt8.self))) }

    /// The rest of the record's data.
    mutating func rest() throws(DNSViolation) -> [UInt8] { try array(end - offset) }

    var isAtEnd: Bool { offset == end }

    /// Reads `count` bytes of data with `body`, which takes them all.
    mutating func data(
        _ count: Int, of type: RecordType, _ body: (inout MessageReader) throws(DNSViolation) -> RecordData
    ) throws(DNSViolation) -> RecordData {
        let (start, outer) = (offset, end)
        guard outer - start >= count else { throw .truncated(at: start) }
        end = start + count
        let data = try body(&self)
        if !isAtEnd { throw .badData(type, at: start) }
        end = outer
        return data
    }

    /// A name, decompressed (RFC 1035 section 4.1.4).
    ///
    /// A pointer must lead to before the labels that led to it, so no name is endless; and a name has at most 127 labels,
    /// so more pointers than that are there to cost time.
    mutating func name() throws(DNSViolation) -> DomainName {
        var wire: [UInt8] = []
        var position = offset
        var segment = offset
        var limit = end
        var pointers = 0
        while true {
            guard position < limit else { throw .truncated(at: position) }
            let length = bytes[position]
            switch length >> 6 {
            case 0:
                guard length > 0 else {
                    if pointers == 0 { offset = position + 1 }
                    wire.append(0)
                    return DomainName(wire: wire)
                }
                let next = position + 1 + Int(length)
                guard next <= limit else { throw .truncated(at: position) }
                if wire.count + Int(length) + 2 > DomainName.longestName { throw .nameTooLong(at: position) }
                for index in position..<next { wire.append(bytes[index]) }
                position = next
            case 3:
                guard position + 2 <= limit, let pointer = bytes.integer(at: position, as: UInt16.self) else {
                    throw .truncated(at: position)
                }
                let target = Int(pointer & 0x3FFF)
                pointers += 1
                guard target < segment, pointers <= Self.mostPointers else { throw .badPointer(at: position) }
                if pointers == 1 { offset = position + 2 }
                (position, segment, limit) = (target, target, bytes.byteCount)
            default:
                throw .badLabel(at: position)
            }
        }
    }

    private static let mostPointers = 127
}
