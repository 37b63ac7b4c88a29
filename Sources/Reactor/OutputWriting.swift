import CReactorSystem
package import ConnectionHandling
import Glibc
import ReactorWire

/// What one call to the system did with the output.
package struct OutputStep {
    /// Bytes that it took; the negated `errno` if it failed.
    package let written: Int
    /// Bytes that it was offered: where it took fewer, the peer's window is full.
    package let offered: Int
}

extension Connection {
    /// As much of a file as one call may send: other connections wait meanwhile.
    private static let fileStep = 512 * 1024
    /// Pieces that one call gathers.
    private static let mostPieces = 16

    /// Writes what it can by one call to the system, and lets go of what was taken.
    package mutating func writeSome(to fd: CInt, flags: CInt) -> OutputStep {
        if !isPlain, let extras {
            if sealOutput(), let layer = extras.layer { return layer.writeWire(fd, flags) }
            if !extras.segments.isEmpty { return writeSegments(extras, fd, flags) }
        }
        let count = output.count
        let written = output.withUnsafeBytes { send(fd, $0.baseAddress, $0.count, flags | CInt(MSG_NOSIGNAL)) }
        if written < 0 { return OutputStep(written: -Int(errno), offered: count) }
        output.removeFirst(written)
        return OutputStep(written: written, offered: count)
    }

    /// A file is next, which is sent by a call that knows no MSG_DONTWAIT.
    package var nextIsSentFile: Bool {
        guard let extras, extras.layer == nil, !extras.segments.isEmpty, extras.segments[0].preceding == 0 else { return false }
        if case .file = extras.segments[0].content { return true }
        return false
    }

    private mutating func writeSegments(_ extras: ConnectionExtras, _ fd: CInt, _ flags: CInt) -> OutputStep {
        let first = extras.segments[0]
        if first.preceding == 0, case .file(let file) = first.content {
            let offered = min(first.range.count, Self.fileStep)
            let sent = Int(creactor_sendfile(fd, file.descriptor.number, Int64(first.range.lowerBound), offered))
            // The file is shorter than it was: what was promised cannot be sent.
            if sent == 0 { return OutputStep(written: -Int(EIO), offered: offered) }
            if sent > 0 { extras.segments.firstSent(sent) }
            return OutputStep(written: sent, offered: offered)
        }
        return withUnsafeTemporaryAllocation(of: iovec.self, capacity: Self.mostPieces) { pieces in
            let gathered = gather(extras.segments, pieces)
            let step = OutputStep(
                written: Int(
                    creactor_send_vector(
                        fd, pieces.baseAddress, gathered.pieces, gathered.passed, CInt(gathered.passed.count),
                        flags | (gathered.moreFollows ? CInt(MSG_MORE) : 0))), offered: gathered.bytes)
            if step.written > 0 { letGo(step.written, passed: gathered.passed.count, extras) }
            return step
        }
    }

    private struct Gathered {
        var pieces = 0
        var bytes = 0
        var passed: [CInt] = []
        /// A file comes next: the bytes in front of it wait for it, so that they share packets.
        var moreFollows = false
    }

    /// Up to the next file or passed descriptor: those need a call of their own.
    private func gather(_ segments: OutputSegments, _ pieces: UnsafeMutableBufferPointer<iovec>) -> Gathered {
        var result = Gathered()
        func add(_ base: UnsafeRawPointer?, _ count: Int) {
            guard count > 0, let base else { return }
            pieces[result.pieces] = iovec(iov_base: UnsafeMutableRawPointer(mutating: base), iov_len: count)
            result.pieces += 1
            result.bytes += count
        }
        output.withUnsafeBytes { output in
            var offset = 0
            for index in 0..<segments.count {
                // Room for a piece of output and one of the segment.
                if result.pieces + 2 > Self.mostPieces { return }
                let segment = segments[index]
                add(output.baseAddress.map { $0 + offset }, segment.preceding)
                offset += segment.preceding
                switch segment.content {
                case .shared(let bytes):
                    // Lent by an object that the segment keeps.
                    bytes.bytes.withUnsafeBytes { add($0.baseAddress.map { $0 + segment.range.lowerBound }, segment.range.count) }
                case .descriptor(let passed):
                    if result.pieces > 0 { return }
                    if let number = passed.number { result.passed.append(number) }
                case .file:
                    result.moreFollows = true
                    return
                case .sent: break
                }
            }
            if result.pieces < Self.mostPieces { add(output.baseAddress.map { $0 + offset }, output.count - offset) }
        }
        return result
    }

    /// Lets go of `count` bytes, and of the descriptors that went with them.
    private mutating func letGo(_ count: Int, passed: Int, _ extras: ConnectionExtras) {
        for _ in 0..<passed { extras.segments.firstSent(1) }
        var rest = count
        while rest > 0 {
            let preceding = extras.segments.isEmpty ? output.count : extras.segments[0].preceding
            let plain = min(rest, preceding)
            outputSent(plain)
            rest -= plain
            if rest > 0 {
                let shared = min(rest, extras.segments[0].range.count)
                extras.segments.firstSent(shared)
                rest -= shared
            }
        }
    }
}

extension ConnectionLayer {
    fileprivate func writeWire(_ fd: CInt, _ flags: CInt) -> OutputStep {
        let count = wire.count
        let written = wire.withUnsafeBytes { send(fd, $0.baseAddress, $0.count, flags | CInt(MSG_NOSIGNAL)) }
        if written < 0 { return OutputStep(written: -Int(errno), offered: count) }
        wire.removeFirst(written)
        return OutputStep(written: written, offered: count)
    }
}
