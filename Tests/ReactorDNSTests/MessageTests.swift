import ConnectionHandling
import ReactorDNS
import ReactorTesting
import Testing

@Suite struct MessageTests {
    @Test(arguments: samples.indices)
    func everyTypeIsWrittenReadAndPrinted(_ index: Int) throws {
        var message = DNSMessage(id: 1)
        message.answers = [ResourceRecord(name: name("x.test"), timeToLive: 9, data: samples[index].data)]
        let read = try DNSMessage(message.bytes)
        #expect(read == message)
        #expect(read.answers.first?.data.description == samples[index].text)
    }

    @Test func aMessageIsReadAsItWasWritten() throws {
        #expect(try DNSMessage(fullMessage.bytes) == fullMessage)
        #expect(fullMessage.answers.count == samples.count)
    }

    @Test func everyFlagHasItsPlace() throws {
        var message = DNSMessage(id: 0xFFFF)
        for change: (inout DNSMessage) -> Void in [
            { $0.isResponse = true }, { $0.opcode = 5 }, { $0.isAuthoritative = true }, { $0.isTruncated = true },
            { $0.recursionDesired = true }, { $0.recursionAvailable = true }, { $0.responseCode = .refused },
            { $0.payloadSize = 512; $0.responseCode.rawValue = 16 },
        ] {
            change(&message)
            #expect(try DNSMessage(message.bytes) == message)
        }
    }

    /// As Unbound sends it: www.example.com, an alias of a.example.com, by pointers to the question.
    private let compressed: [UInt8] =
        [0, 1, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0] + [3] + Array("www".utf8) + [7] + Array("example".utf8) + [3] + Array("com".utf8)
        + [0, 0, 1, 0, 1]  // up to byte 33
        + [0xC0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, 97, 0xC0, 16]  // its data at byte 45
        + [0xC0, 45, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, 7]

    @Test func compressedNamesAreRead() throws {
        let message = try DNSMessage(compressed)
        #expect(message.answers.map { "\($0)" } == ["www.example.com. 60 IN CNAME a.example.com.", "a.example.com. 30 IN A 192.0.2.7"])
    }

    // MARK: What is not sound

    @Test func aMessageThatBreaksOffIsRefused() throws {
        for message in [compressed, fullMessage.bytes] {
            for count in 0..<message.count {
                #expect(throws: DNSViolation.self) { try DNSMessage(Array(message.prefix(count))) }
            }
            #expect(try DNSMessage(message + [1, 2, 3]) == DNSMessage(message))
        }
    }

    @Test func noFlippedByteTraps() throws {
        for message in [compressed, fullMessage.bytes] {
            for index in message.indices {
                for value: UInt8 in [0, 1, 0x3F, 0x40, 0x80, 0xC0, 0xFF, message[index] ^ 1] {
                    var damaged = message
                    damaged[index] = value
                    check(damaged)
                }
            }
        }
    }

    @Test(arguments: [UInt64](1...20) + [UInt64.random(in: 1_000...UInt64.max)])
    func noGarbageTraps(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let isHeaded = Bool.random(using: &random)
            let head: [UInt8] = isHeaded ? [0, 1, 0x80, 0, 0, 1, 0, 3, 0, 2, 0, 1] : []
            check(head + (0..<Int.random(in: 0...200, using: &random)).map { _ in
                Bool.random(using: &random) ? UInt8.random(in: 0...12, using: &random) : UInt8.random(in: 0...255, using: &random)
            })
        }
    }

    /// It is refused, or what was read can be written, read again and printed.
    private func check(_ bytes: [UInt8]) {
        guard let message = try? DNSMessage(bytes) else { return }
        _ = (message.answers + message.authorities + message.additionals).map(\.description)
        for question in message.questions { _ = try? message.resolution(of: question) }
        // Decompressed it may be too long for the next assertion's message, but never wrong.
        #expect((try? DNSMessage(message.bytes)) == message)
    }

    /// A header, and the name of the one question.
    private func question(_ bytes: [UInt8]) -> [UInt8] { [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0] + bytes + [0, 1, 0, 1] }

    @Test(arguments: [
        ([0xC0, 12], DNSViolation.badPointer(at: 12)),  // to itself
        ([1, 97, 0xC0, 12], .badPointer(at: 14)),  // to its own labels
        ([0xC0, 20], .badPointer(at: 12)),  // forwards
        ([0xC0, 0xFF], .badPointer(at: 12)),
        ([0x40, 0], .badLabel(at: 12)),
        ([0x80, 0], .badLabel(at: 12)),
        ([63, 0], .truncated(at: 12)),
    ])
    func namesThatLeadNowhere(_ name: [UInt8], _ violation: DNSViolation) {
        #expect(throws: violation) { try DNSMessage(question(name)) }
    }

    @Test func aPointerIntoTheHeaderIsOnlyBackwards() throws {
        // To byte 0, where the id is the label of length 0: the root.
        #expect(try DNSMessage(question([0xC0, 0])).questions.first?.name == .root)
    }

    @Test func pointersAreCounted() throws {
        // A chain of pointers, each to the one before, in the data of an unknown type; the name of a second record uses it.
        func message(_ count: Int) -> [UInt8] {
            var chain: [UInt8] = [0]
            let start = 12 + 11
            for index in 0..<count {
                let target = index == 0 ? start : start + 1 + 2 * (index - 1)
                chain += [0xC0 | UInt8(target >> 8), UInt8(target & 255)]
            }
            let last = start + 1 + 2 * (count - 1)
            return [0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0] + [0, 0xFF, 0, 0, 1, 0, 0, 0, 0, UInt8(chain.count >> 8), UInt8(chain.count & 255)]
                + chain + [0xC0 | UInt8(last >> 8), UInt8(last & 255), 0xFF, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        }
        #expect(try DNSMessage(message(126)).answers.count == 2)
        #expect(throws: DNSViolation.self) { try DNSMessage(message(127)) }
    }

    @Test func aNameIsNotLongerThanItMayBe() throws {
        let label = [63] + [UInt8](repeating: 97, count: 63)
        #expect(try DNSMessage(question(label + label + label + [61] + [UInt8](repeating: 98, count: 61) + [0])).questions.count == 1)
        #expect(throws: DNSViolation.nameTooLong(at: 12 + 192)) {
            try DNSMessage(question(label + label + label + [62] + [UInt8](repeating: 98, count: 62) + [0]))
        }
    }

    @Test(arguments: [
        (RecordType.a, [1, 2, 3], DNSViolation.truncated(at: 23)), (.a, [1, 2, 3, 4, 5], .badData(.a, at: 23)),
        (.aaaa, [1, 2, 3, 4], .truncated(at: 23)), (.mx, [0, 1], .truncated(at: 25)), (.mx, [0, 1, 0, 0], .badData(.mx, at: 23)),
        (.txt, [], .truncated(at: 23)), (.txt, [3, 1], .truncated(at: 24)), (.cname, [1, 97], .truncated(at: 25)),
        (.caa, [0, 0], .badData(.caa, at: 24)), (.caa, [0, 1, 0x20], .badData(.caa, at: 24)), (.soa, [0, 0, 0], .truncated(at: 25)),
        (.naptr, [0, 1, 0, 1, 0, 0], .truncated(at: 29)),
    ])
    func dataIsWhatItsTypeHas(_ type: RecordType, _ data: [UInt8], _ violation: DNSViolation) {
        let head: [UInt8] = [0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]
        let record = [0, UInt8(type.rawValue >> 8), UInt8(type.rawValue & 255), 0, 1, 0, 0, 0, 0, 0, UInt8(data.count)]
        // Another stands behind it, whose bytes are not the first's.
        #expect(throws: violation) { try DNSMessage(head + record + data + record + data) }
    }

    @Test func otherClassesArePassedOver() throws {
        let chaos: [UInt8] = [0, 0, 16, 0, 3, 0, 0, 0, 0, 0, 2, 1, 65]
        let message = try DNSMessage([0, 1, 0x80, 0, 0, 0, 0, 2, 0, 0, 0, 0] + chaos + [0, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 1, 2, 3, 4])
        #expect(message.answers.map(\.type) == [.a])
    }

    /// RFC 2181 section 8
    @Test(arguments: [(UInt32(0x7FFF_FFFF), UInt32(0x7FFF_FFFF)), (0x8000_0000, 0), (.max, 0)])
    func aTimeToLiveHas31Bits(_ sent: UInt32, _ read: UInt32) throws {
        var message = DNSMessage(id: 1)
        message.answers = [ResourceRecord(name: .root, timeToLive: sent, data: samples[0].data)]
        #expect(try DNSMessage(message.bytes).answers.first?.timeToLive == read)
    }

    @Test func asManyRecordsAsFit() throws {
        var message = DNSMessage(id: 1)
        let record = ResourceRecord(name: .root, timeToLive: 0, data: .unknown(RecordType(rawValue: 99), []))
        message.answers = Array(repeating: record, count: 5_956)
        #expect(message.bytes.count <= 65_535)
        #expect(try DNSMessage(message.bytes).answers.count == 5_956)
        // More are announced than are there.
        var bytes = message.bytes
        bytes[6] = 0xFF
        #expect(throws: DNSViolation.truncated(at: bytes.count)) { try DNSMessage(bytes) }
    }
}
