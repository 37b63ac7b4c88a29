import ReactorWire
import Testing

/// What each framing does of its own.
@Suite struct FramingKindsTests {
    private func payloads<Kind: Framing>(_ framing: Kind, _ input: [UInt8]) throws(Kind.Violation) -> [String] {
        var (framing, used, result) = (framing, 0, [String]())
        while let frame = try framing.next(in: input.span.bytes, from: used) {
            result.append(String(decoding: input[frame.payload], as: UTF8.self))
            used = frame.next
        }
        return result
    }

    private func payloads<Kind: Framing>(_ framing: Kind, _ input: String) throws(Kind.Violation) -> [String] {
        try payloads(framing, Array(input.utf8))
    }

    // MARK: Length prefix

    typealias Violation = LengthPrefixFraming.Violation

    @Test(arguments: [
        (LengthPrefixFraming(.one), [2, 0x61, 0x62, 0]),
        (LengthPrefixFraming(.two), [0, 2, 0x61, 0x62, 0, 0]),
        (LengthPrefixFraming(.two, .little), [2, 0, 0x61, 0x62, 0, 0]),
        (LengthPrefixFraming(.three), [0, 0, 2, 0x61, 0x62, 0, 0, 0]),
        (LengthPrefixFraming(.three, .little), [2, 0, 0, 0x61, 0x62, 0, 0, 0]),
        (LengthPrefixFraming(.four, countsItself: true), [0, 0, 0, 6, 0x61, 0x62, 0, 0, 0, 4]),
        (LengthPrefixFraming(.eight, .little), [2, 0, 0, 0, 0, 0, 0, 0, 0x61, 0x62, 0, 0, 0, 0, 0, 0, 0, 0]),
        (LengthPrefixFraming(.one, adjustment: -3), [5, 0x61, 0x62, 3]),
    ] as [(LengthPrefixFraming, [UInt8])])
    func aLengthAndSoManyBytes(_ framing: LengthPrefixFraming, _ input: [UInt8]) throws {
        #expect(try payloads(framing, input) == ["ab", ""])
        var queue = ByteQueue()
        try framing.append(Array("ab".utf8).span.bytes, to: &queue)
        try framing.append(to: &queue) { _ in }
        #expect(queue.bytes.array == input)
    }

    @Test(arguments: [UInt64(125), UInt64(UInt32.max), UInt64(Int.max), UInt64(Int.max) + 1, .max])
    func aLengthPastTheLimitIsRefusedBeforeItsPayloadComes(_ length: UInt64) {
        for adjustment in [0, -8, 8] {
            let framing = LengthPrefixFraming(.eight, adjustment: adjustment, limit: 100)
            var queue = ByteQueue()
            queue.append(integer: length)
            let input = queue.bytes.array
            #expect(throws: Violation.tooLong(length: length)) { try payloads(framing, input) }
        }
    }

    @Test func aLengthThatDoesNotCoverItselfIsRefused() {
        #expect(throws: Violation.tooShort(length: 3)) {
            try payloads(LengthPrefixFraming(.four, countsItself: true), [0, 0, 0, 3])
        }
        #expect(throws: Violation.tooShort(length: 0)) { try payloads(LengthPrefixFraming(.one, adjustment: -1), [0]) }
    }

    @Test func whatTheLengthCannotSayIsNotWritten() throws {
        var queue = ByteQueue()
        try LengthPrefixFraming(.one).append([UInt8](repeating: 1, count: 255).span.bytes, to: &queue)
        #expect(throws: FrameError.tooLong) {
            try LengthPrefixFraming(.one).append([UInt8](repeating: 1, count: 256).span.bytes, to: &queue)
        }
        #expect(throws: FrameError.tooLong) {
            try LengthPrefixFraming(.one).append(to: &queue) { $0.append([UInt8](repeating: 1, count: 256)) }
        }
        #expect(throws: FrameError.wrongSize) {
            try LengthPrefixFraming(.one, adjustment: 3).append(Array("ab".utf8).span.bytes, to: &queue)
        }
        #expect(queue.count == 256, "what was refused is taken back")
    }

    // MARK: Netstrings

    @Test func netstrings() throws {
        #expect(try payloads(NetstringFraming(), "5:hello,0:,12:hello world!,3:a") == ["hello", "", "hello world!"])
        var queue = ByteQueue()
        try NetstringFraming().append(Array("hello world!".utf8).span.bytes, to: &queue)
        #expect(queue.bytes.text == "12:hello world!,")
    }

    @Test(arguments: [
        ("05:hello,", .malformedLength), ("00:,", .malformedLength), (":,", .malformedLength), ("-1:a,", .malformedLength),
        ("+1:a,", .malformedLength), (" 1:a,", .malformedLength), ("1 :a,", .malformedLength), ("x", .malformedLength),
        ("1x", .malformedLength), ("5:hello;", .missingComma), ("4:hello,", .missingComma), ("0:x", .missingComma),
        ("99", .tooLong), ("18446744073709551616:", .tooLong), ("99999999999999999999999999", .tooLong),
        ("17:", .tooLong),
    ] as [(String, NetstringFraming.Violation)])
    func whatIsNoNetstring(_ input: String, _ violation: NetstringFraming.Violation) {
        #expect(throws: violation) { try payloads(NetstringFraming(limit: 20), input) }
    }

    // MARK: Lines

    @Test func lenientLinesEndInEither() throws {
        #expect(try payloads(LenientLineFraming(), "one\ntwo\r\n\n\r\na\rb\n\r\r\nrest") == ["one", "two", "", "", "a\rb", "\r"])
        var queue = ByteQueue()
        var framing = LenientLineFraming(limit: 4)
        try framing.append(Array("abc".utf8).span.bytes, to: &queue)
        #expect(queue.bytes.text == "abc\n")
        for wrong in ["a\nb", "a\r", "\n"] {
            #expect(throws: FrameError.containsDelimiter) { try framing.append(Array(wrong.utf8).span.bytes, to: &queue) }
        }
        #expect(throws: DelimiterFraming.Violation.tooLong) { try framing.next(in: Array("abcd\n".utf8).span.bytes) }
        #expect(throws: DelimiterFraming.Violation.tooLong) { try framing.next(in: Array("abcd".utf8).span.bytes) }
    }

    @Test func strictLinesAreWrittenWithoutBreaksInThem() throws {
        var queue = ByteQueue()
        try LineFraming(limit: 6).append(Array("QUIT".utf8).span.bytes, to: &queue)
        #expect(queue.bytes.text == "QUIT\r\n")
        #expect(throws: FrameError.tooLong) { try LineFraming(limit: 6).append(Array("QUIT!".utf8).span.bytes, to: &queue) }
        for wrong in ["a\nb", "a\r", "\r\n"] {
            #expect(throws: FrameError.containsDelimiter) { try LineFraming().append(Array(wrong.utf8).span.bytes, to: &queue) }
        }
    }

    // MARK: Delimiters

    @Test func aDelimiterMayBeginInItself() throws {
        let framing = DelimiterFraming(Array("aab".utf8))
        #expect(try payloads(framing, "aaab.aab" + "aab" + "xaaaab") == ["a", ".", "", "xaa"])
        var queue = ByteQueue()
        try framing.append(Array("xa".utf8).span.bytes, to: &queue)
        #expect(queue.bytes.text == "xaaab")
        let overlapping = DelimiterFraming(Array("aa".utf8))
        #expect(throws: FrameError.containsDelimiter, "xa would be read back as x") {
            try overlapping.append(Array("xa".utf8).span.bytes, to: &queue)
        }
    }

    @Test func fixedSize() {
        #expect(payloads(FixedSizeFraming(size: 3), "abcdefgh") == ["abc", "def"])
        var queue = ByteQueue()
        for wrong in ["ab", "abcd"] {
            #expect(throws: FrameError.wrongSize) {
                try FixedSizeFraming(size: 3).append(Array(wrong.utf8).span.bytes, to: &queue)
            }
        }
    }
}

@Suite struct IntegerTests {
    private let bytes: [UInt8] = [0x81, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x88]

    @Test func integersAreReadInEitherOrder() {
        let span = bytes.span.bytes
        #expect(span.integer(at: 0, as: UInt8.self) == 0x81)
        #expect(span.integer(at: 0, as: Int8.self) == -127)
        #expect(span.integer(at: 1, as: UInt16.self) == 0x0203)
        #expect(span.integer(at: 1, as: UInt16.self, .little) == 0x0302)
        #expect(span.integer(at: 0, as: Int16.self) == -0x7EFE)
        #expect(span.uint24(at: 1) == 0x020304)
        #expect(span.uint24(at: 1, .little) == 0x040302)
        #expect(span.integer(at: 3, as: UInt32.self) == 0x0405_0607)
        #expect(span.integer(at: 0, as: UInt64.self) == 0x8102_0304_0506_0788)
        #expect(span.integer(at: 0, as: Int64.self, .little) == Int64(bitPattern: 0x8807_0605_0403_0281))
    }

    @Test func pastTheEndThereIsNone() {
        let span = bytes.span.bytes
        #expect(span.integer(at: 7, as: UInt8.self) == 0x88)
        #expect(span.integer(at: 8, as: UInt8.self) == nil)
        #expect(span.integer(at: 6, as: UInt16.self) == 0x0788)
        for offset in [7, 8, 9, -1, Int.max, Int.min] {
            #expect(span.integer(at: offset, as: UInt16.self) == nil)
            #expect(span.uint24(at: offset) == nil)
            #expect(span.integer(at: offset, as: UInt64.self) == nil)
        }
        #expect(span.uint24(at: 5) == 0x060788)
        #expect(span.uint24(at: 6) == nil)
    }

    @Test(arguments: [ByteOrder.big, .little])
    func whatIsAppendedIsRead(_ order: ByteOrder) {
        var queue = ByteQueue()
        queue.append(integer: 0x81 as UInt8, order)
        queue.append(integer: -2 as Int16, order)
        queue.append(uint24: 0xABCDEF, order)
        queue.append(integer: UInt32.max - 1, order)
        queue.append(integer: Int64.min + 5, order)
        #expect(queue.bytes.integer(at: 0, as: UInt8.self, order) == 0x81)
        #expect(queue.bytes.integer(at: 1, as: Int16.self, order) == -2)
        #expect(queue.bytes.uint24(at: 3, order) == 0xABCDEF)
        #expect(queue.bytes.integer(at: 6, as: UInt32.self, order) == UInt32.max - 1)
        #expect(queue.bytes.integer(at: 10, as: Int64.self, order) == Int64.min + 5)
        #expect(queue.count == 18)
    }
}
