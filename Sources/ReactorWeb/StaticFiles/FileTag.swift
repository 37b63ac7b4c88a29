import ReactorContentCodings
import ReactorWire

/// The entity tag of a file: the time of its last change and its length, as nginx has it, but to the nanosecond; and the
/// coding that it is in. A change is missed only if it keeps the length and falls into the same tick of the kernel's clock.
struct FileTag {
    private var text = InlineArray<48, UInt8>(repeating: 0)
    private var count = 0

    init(_ file: borrowing FoundFile, _ coding: ContentCoding?) {
        append(UInt8(ascii: "\""))
        append(hex: UInt64(truncatingIfNeeded: file.modified &* 1_000_000_000 &+ file.nanoseconds))
        append(UInt8(ascii: "-"))
        append(hex: UInt64(truncatingIfNeeded: file.length))
        if let coding {
            append(UInt8(ascii: "-"))
            let name = coding.name
            for index in 0..<name.utf8CodeUnitCount { append(name.utf8Start[index]) }
        }
        append(UInt8(ascii: "\""))
    }

    /// As the ETag field has it.
    var bytes: RawSpan {
        @_lifetime(borrow self) get { text.span.bytes.extracting(first: count) }
    }

    private mutating func append(_ byte: UInt8) {
        text[count] = byte
        count += 1
    }

    private mutating func append(hex value: UInt64) {
        var shift = max((64 - value.leadingZeroBitCount + 3) / 4 * 4, 4)
        while shift > 0 {
            shift -= 4
            let digit = UInt8(truncatingIfNeeded: (value >> UInt64(shift)) & 15)
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
