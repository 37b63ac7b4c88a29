import ReactorWeb
import ReactorWire

extension FuzzTarget {
    /// A Content-Type up to the first line feed, and a body of it. However that arrives, the same is found in it.
    static let multipart = FuzzTarget(name: "multipart") { input in
        let bytes = input.bytes
        let end = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
        let (type, body) = (Array(bytes[..<end]), Array(bytes[end...].dropFirst()))
        let expected = MultipartEvents(type, body, pieces: body.count)
        for pieces in [1, 2, 7, 64] { expectEqual(MultipartEvents(type, body, pieces: pieces), expected, "in pieces of \(pieces)") }
    }
}

/// What a parser tells of a body that comes in pieces of a size: the parts, with their bytes together, and the end.
private struct MultipartEvents: Equatable, MultipartReceiver {
    private var heads: [MultipartHead] = []
    private var bodies: [[UInt8]] = []
    private var isOpen = false
    private var violation: MultipartViolation?

    init(_ type: [UInt8], _ body: [UInt8], pieces: Int) {
        do throws(MultipartViolation) {
            var parser = try MultipartParser(contentType: type.span.bytes)
            var rest = body[...]
            while !rest.isEmpty {
                let piece = Array(rest.prefix(pieces))
                try parser.receive(piece.span.bytes, into: &self)
                rest = rest.dropFirst(piece.count)
            }
            try parser.finish()
        } catch {
            violation = error
            // How much of a part that never ends came before the fault was seen depends on how it arrived.
            if isOpen { bodies[bodies.count - 1] = [] }
        }
        precondition(violation != nil || !isOpen, "a part has not ended, and the body has")
        precondition(heads.count <= MultipartLimits.default.parts, "more parts than the limit")
    }

    mutating func partBegan(_ head: MultipartHead) throws(MultipartViolation) {
        precondition(!isOpen, "a part begins in another")
        isOpen = true
        heads.append(head)
        bodies.append([])
    }

    mutating func partReceived(_ bytes: RawSpan) throws(MultipartViolation) {
        precondition(isOpen, "bytes of no part")
        bodies[bodies.count - 1] += bytes.bytes
    }

    mutating func partEnded() throws(MultipartViolation) {
        precondition(isOpen, "the end of no part")
        isOpen = false
    }
}
