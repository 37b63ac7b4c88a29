public import Glibc

/// Reading protocol text straight from lent bytes.
extension RawSpan {
    /// The byte at `offset`, checked against the bounds.
    @inlinable public subscript(offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < byteCount, "offset outside the bytes")
        return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    /// The bytes at the offsets of `range`, lent as long as this span is.
    @inlinable @_lifetime(copy self)
    public func slice(_ range: Range<Int>) -> RawSpan { extracting(range) }

    /// Where `byte` first stands at or behind `offset`. One `memchr`, so long lines cost little.
    @inlinable public func firstIndex(of byte: UInt8, from offset: Int = 0) -> Int? {
        precondition(offset >= 0 && offset <= byteCount, "offset outside the bytes")
        return withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress, offset < buffer.count,
                let found = memchr(base + offset, Int32(byte), buffer.count - offset)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    /// Whether the bytes are exactly those of `text`.
    @inlinable public func equals(_ text: StaticString) -> Bool {
        guard byteCount == text.utf8CodeUnitCount else { return false }
        return withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return true }
            return memcmp(base, text.utf8Start, buffer.count) == 0
        }
    }

    /// Below, equal to or above 0, as these bytes stand before, with or behind others of the same number.
    @inlinable package func order(to other: RawSpan) -> Int {
        precondition(byteCount == other.byteCount, "as many bytes")
        return withUnsafeBytes { ours in
            other.withUnsafeBytes { theirs in
                guard let first = ours.baseAddress, let second = theirs.baseAddress else { return 0 }
                return Int(memcmp(first, second, ours.count))
            }
        }
    }

    /// Whether the bytes are those of `text` when ASCII letters are compared without case, as protocol keywords are.
    /// `lowercase` must be written in lower case.
    @inlinable public func equalsIgnoringCase(_ lowercase: StaticString) -> Bool {
        let count = byteCount
        guard count == lowercase.utf8CodeUnitCount else { return false }
        let expected = lowercase.utf8Start
        for index in 0..<count {
            var byte = unsafe unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
            if byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") { byte |= 0x20 }
            if byte != expected[index] { return false }
        }
        return true
    }

    /// The bytes as text. Invalid UTF-8 becomes U+FFFD; use it for logs and for names already checked to be ASCII.
    public var text: String {
        withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes, copied, for what must outlive the callback.
    public var array: [UInt8] {
        withUnsafeBytes { Array($0) }
    }

    /// The bytes as an unsigned decimal number: digits only, no sign or space, nil when empty or past `Int.max`.
    public var decimal: Int? {
        guard byteCount > 0, byteCount <= 19 else { return nil }
        var value = 0
        for index in 0..<byteCount {
            let byte = unsafe unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
            if overflow || carried { return nil }
            value = sum
        }
        return value
    }
}
