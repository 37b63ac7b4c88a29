/// The order of an integer's bytes on the wire.
public enum ByteOrder: Sendable {
    /// The most significant byte first: network order, and the default everywhere.
    case big
    case little
}

extension RawSpan {
    /// The integer at `offset`, signed or not, of the width of its type; nil if it does not lie within the bytes.
    @inlinable public func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int, as type: Value.Type = Value.self, _ order: ByteOrder = .big
    ) -> Value? {
        guard holds(MemoryLayout<Value>.size, at: offset) else { return nil }
        let value = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: Value.self)
        return order == .big ? Value(bigEndian: value) : Value(littleEndian: value)
    }

    /// The integer of three bytes at `offset`; nil if it does not lie within the bytes.
    @inlinable public func uint24(at offset: Int, _ order: ByteOrder = .big) -> UInt32? {
        guard holds(3, at: offset) else { return nil }
        let (first, middle, last) = (UInt32(self[offset]), UInt32(self[offset + 1]), UInt32(self[offset + 2]))
        return order == .big ? first << 16 | middle << 8 | last : last << 16 | middle << 8 | first
    }

    @inlinable func holds(_ count: Int, at offset: Int) -> Bool { offset >= 0 && byteCount - offset >= count }
}

extension ByteQueue {
    /// Appends an integer, signed or not, in the width of its type.
    @inlinable public mutating func append<Value: FixedWidthInteger & BitwiseCopyable>(
        integer value: Value, _ order: ByteOrder = .big
    ) {
        let ordered = order == .big ? value.bigEndian : value.littleEndian
        reserve(MemoryLayout<Value>.size).storeBytes(of: ordered, as: Value.self)
        end += MemoryLayout<Value>.size
    }

    /// Appends an integer of three bytes. One that does not fit is a mistake of the caller's, and traps.
    @inlinable public mutating func append(uint24 value: UInt32, _ order: ByteOrder = .big) {
        precondition(value < 1 << 24, "the integer does not fit in three bytes")
        let (high, middle, low) = (
            UInt8(truncatingIfNeeded: value >> 16), UInt8(truncatingIfNeeded: value >> 8),
            UInt8(truncatingIfNeeded: value)
        )
        append(order == .big ? high : low)
        append(middle)
        append(order == .big ? low : high)
    }
}
