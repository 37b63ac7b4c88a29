import ReactorWire

/// Eight bytes of a head at a time, as one integer, the first byte lowest. Each search marks the bytes that it looks for
/// by their top bits. Sums and differences may mark bytes behind the first one found wrongly, and never one before it:
/// only the first is used.
private enum Word {
    static let ones: UInt64 = 0x0101_0101_0101_0101
    static let tops: UInt64 = 0x8080_8080_8080_8080

    /// Bytes below `limit`, which is at most 0x80; DEL, and what is not ASCII.
    @inline(__always) static func outside(_ word: UInt64, below limit: UInt64) -> UInt64 {
        ((word &- ones &* limit) | (word &+ ones) | word) & tops
    }

    /// Bytes equal to `byte`.
    @inline(__always) static func equal(_ word: UInt64, _ byte: UInt8) -> UInt64 {
        let difference = word ^ (ones &* UInt64(byte))
        return (difference &- ones) & ~difference & tops
    }

    /// Bytes from `first` to `last`, if the top bits of `word` are clear. Exact for all eight, as are the next two.
    @inline(__always) private static func between(_ first: UInt8, _ last: UInt8, _ word: UInt64) -> UInt64 {
        (word &+ ones &* UInt64(0x80 &- first)) & ~(word &+ ones &* UInt64(0x7F &- last))
    }

    /// Bytes that are neither letters nor `-`.
    @inline(__always) static func notInCommonNames(_ word: UInt64) -> UInt64 {
        let ascii = word & ~tops
        let letters = between(UInt8(ascii: "a"), UInt8(ascii: "z"), ascii | ones &* 0x20)
        let hyphens = ~((ascii ^ ones &* UInt64(UInt8(ascii: "-"))) &+ ones &* 0x7F)
        return (~(letters | hyphens) | word) & tops
    }

    /// Bytes that are neither letters nor digits, and neither `-` nor `.`.
    @inline(__always) static func notInCommonHosts(_ word: UInt64) -> UInt64 {
        let ascii = word & ~tops
        let letters = between(UInt8(ascii: "a"), UInt8(ascii: "z"), ascii | ones &* 0x20)
        let digits = between(UInt8(ascii: "0"), UInt8(ascii: "9"), ascii)
        return (~(letters | digits | between(UInt8(ascii: "-"), UInt8(ascii: "."), ascii)) | word) & tops
    }

    @inline(__always) static func first(_ marks: UInt64) -> Int { marks.trailingZeroBitCount &>> 3 }
}

// The offsets that these take must lie within the bytes. What they return is not behind `end`.
extension RawSpan {
    @inline(__always) func byte(_ offset: Int) -> UInt8 {
        unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    @inline(__always) private func word(_ offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }

    /// Where the first control byte at or behind `start` stands; `end` if there is none before it.
    @inline(__always) func firstControlUnchecked(from start: Int, to end: Int) -> Int {
        var offset = start
        while offset &+ 8 <= byteCount {
            let marks = Word.outside(word(offset), below: 0x20)
            guard marks != 0 else {
                offset &+= 8
                if offset >= end { return end }
                continue
            }
            offset &+= Word.first(marks)
            if offset >= end { return end }
            // Marked are HTAB and what is not ASCII, too.
            if ByteClass.isControl(byte(offset)) { return offset }
            offset &+= 1
        }
        while offset < end, !ByteClass.isControl(byte(offset)) { offset &+= 1 }
        return min(offset, end)
    }

    /// Where the token that begins at `start` ends.
    @inline(__always) func endOfToken(from start: Int, to end: Int) -> Int {
        var offset = start
        while offset &+ 8 <= byteCount {
            let marks = Word.notInCommonNames(word(offset))
            guard marks != 0 else {
                offset &+= 8
                if offset >= end { return end }
                continue
            }
            offset &+= Word.first(marks)
            // Nearly always the end.
            if offset >= end { return end }
            if !ByteClass.isToken(byte(offset)) { return offset }
            offset &+= 1
        }
        while offset < end, ByteClass.isToken(byte(offset)) { offset &+= 1 }
        return min(offset, end)
    }

    /// Where the first byte stands that is neither a letter nor a digit, `-` or `.`.
    @inline(__always) func endOfCommonHost(from start: Int, to end: Int) -> Int {
        var offset = start
        while offset < end, offset &+ 8 <= byteCount {
            let marks = Word.notInCommonHosts(word(offset))
            if marks != 0 { return min(offset &+ Word.first(marks), end) }
            offset &+= 8
        }
        return min(offset, end)
    }

    /// Where the request target, or its part before or behind the first `?`, ends.
    @inline(__always) func endOfTarget(from start: Int, to end: Int, orAt mark: UInt8) -> Int {
        var offset = start
        while offset &+ 8 <= byteCount {
            let next = word(offset)
            let marks = Word.outside(next, below: 0x21) | Word.equal(next, UInt8(ascii: "#")) | Word.equal(next, mark)
            guard marks != 0 else {
                offset &+= 8
                if offset >= end { return end }
                continue
            }
            return min(offset &+ Word.first(marks), end)
        }
        while offset < end, ByteClass.isTarget(byte(offset)), byte(offset) != mark { offset &+= 1 }
        return min(offset, end)
    }

    /// Whether `text` stands at `offset`: four, eight or more bytes are compared at once. It has four at least, and so many
    /// must be there.
    ///
    /// Ignoring case, `text` has only lower-case letters, digits and `-`, and the bytes must not be control bytes: the bit
    /// that makes a letter lower-case makes one of these out of no other byte.
    @inline(__always) func holds(_ text: StaticString, at offset: Int, ignoringCase: Bool = true) -> Bool {
        let count = text.utf8CodeUnitCount
        let expected = UnsafeRawPointer(text.utf8Start)
        let fold: UInt64 = ignoringCase ? 0x2020_2020_2020_2020 : 0
        @inline(__always) func same<Integer: FixedWidthInteger & BitwiseCopyable>(_ index: Int, _: Integer.Type) -> Bool {
            let found = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset &+ index, as: Integer.self)
            return found | Integer(truncatingIfNeeded: fold) == expected.loadUnaligned(fromByteOffset: index, as: Integer.self)
        }
        if count < 8 { return same(0, UInt32.self) && same(count &- 4, UInt32.self) }
        var index = 0
        while index &+ 8 <= count {
            if !same(index, UInt64.self) { return false }
            index &+= 8
        }
        return same(count &- 8, UInt64.self)
    }
}
