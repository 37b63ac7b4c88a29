import Glibc
package import ReactorWire

/// Output that is not in ``Connection/output``: it stands between two bytes of that, and is sent from where it lies.
package struct OutputSegment {
    package enum Content {
        case shared(SharedBytes)
        case file(OpenFile)
        /// Goes with the byte behind it.
        case descriptor(PassedDescriptor)
        /// Nothing any more: what was sent is let go at once, not when its place in the queue is.
        case sent
    }

    package fileprivate(set) var content: Content
    /// What is left of it: offsets in the file or the shared bytes.
    package var range: Range<Int>
    /// How many bytes of ``Connection/output`` are still to be sent between the segment before this one and this.
    package var preceding: Int
}

/// A descriptor in a queue: arrays hold no values that cannot be copied.
package final class PassedDescriptor {
    package var descriptor: Descriptor?
    package init(_ descriptor: consuming Descriptor) { self.descriptor = consume descriptor }
    package var number: CInt? { descriptor?.number }
}

/// The segments that wait, in order.
package struct OutputSegments {
    private var queue: [OutputSegment] = []
    private var head = 0
    /// Bytes of `Connection.output` that stand before the last segment.
    private var assigned = 0
    /// Bytes in shared segments: what they keep in memory counts like output.
    package private(set) var sharedCount = 0
    package private(set) var fileCount = 0

    package var isEmpty: Bool { head == queue.count }
    package var count: Int { queue.count - head }
    package subscript(index: Int) -> OutputSegment { queue[head + index] }

    mutating func append(_ content: OutputSegment.Content, _ range: Range<Int>, outputCount: Int) {
        queue.append(OutputSegment(content: content, range: range, preceding: outputCount - assigned))
        assigned = outputCount
        switch content {
        case .shared: sharedCount += range.count
        case .file: fileCount += 1
        case .descriptor, .sent: break
        }
    }

    /// `count` bytes of the output in front of the first segment were sent, or of all output where there is none.
    mutating func outputSent(_ count: Int) {
        if isEmpty { return }
        queue[head].preceding -= count
        assigned -= count
    }

    /// `count` bytes of the first segment were sent; one with none left goes.
    package mutating func firstSent(_ count: Int) {
        let range = queue[head].range
        queue[head].range = range.lowerBound + count..<range.upperBound
        let isDone = queue[head].range.isEmpty
        switch queue[head].content {
        case .shared: sharedCount -= count
        case .file: if isDone { fileCount -= 1 }
        case .descriptor, .sent: break
        }
        guard isDone else { return }
        queue[head].content = .sent
        head += 1
        // Moved down only when half of it is gone, so that a segment costs a constant.
        if head == queue.count || head > 32 && head > queue.count / 2 {
            queue.removeFirst(head)
            head = 0
        }
    }
}

/// What few connections need, kept apart so that the others do not pay for it.
package final class ConnectionExtras {
    package var segments = OutputSegments()
    /// Received and not yet taken, first in first.
    package var received: [PassedDescriptor] = []
    /// Where it differs from what the socket says.
    package var localAddress: SocketAddress?
    /// What stands between the connection and its transport.
    package var layer: ConnectionLayer?
    package var handshakeDeadline = MonotonicTime.distantFuture
    /// What ended the connection although its driver sees an ordinary close.
    var failure: TLSFailure?
    /// Takes over from the handler.
    var successor: HandlerBox?
    var layerKeepsInput = false
    var layerFinished = false

    init() {}
}

extension Connection {
    /// Takes the next output out, wherever it lies, for drivers that have no socket. Descriptors that were passed are
    /// closed; a file that cannot be read aborts the connection.
    package mutating func takeOutput(atMost limit: Int) -> [UInt8] {
        if sealOutput(), let layer {
            let taken = layer.wire.withUnsafeBytes { Array($0.prefix(limit)) }
            layer.wire.removeFirst(taken.count)
            return taken
        }
        guard let extras, !extras.segments.isEmpty else {
            let taken = output.bytes.extracting(first: limit).array
            outputSent(taken.count)
            return taken
        }
        let segment = extras.segments[0]
        if segment.preceding > 0 {
            let taken = output.bytes.extracting(first: min(limit, segment.preceding)).array
            outputSent(taken.count)
            return taken
        }
        let range = segment.range.prefix(limit)
        if range.isEmpty { return [] }
        var taken: [UInt8]
        switch segment.content {
        case .descriptor, .sent:
            extras.segments.firstSent(1)
            return takeOutput(atMost: limit)
        case .shared(let bytes):
            taken = bytes.bytes.extracting(range).array
        case .file(let file):
            taken = [UInt8](repeating: 0, count: range.count)
            let count = pread(file.descriptor.number, &taken, taken.count, off_t(range.lowerBound))
            if count <= 0 { close(.aborting) }
            taken.removeLast(taken.count - max(count, 0))
        }
        extras.segments.firstSent(taken.count)
        return taken
    }
}
