public import ConnectionHandling
import Glibc
public import Reactor
import ReactorTesting
import ReactorWire

/// Output of every kind in a random order, and the bytes that a peer must get: the same for the same seed, wherever it
/// is made.
public struct OutputMix {
    private enum Piece {
        case bytes([UInt8])
        case shared([UInt8])
        case file(offset: Int, count: Int)
        case passing([UInt8])
        case cork, uncork
    }

    /// What the peer must get, in this order.
    public let expected: [UInt8]
    private let pieces: [Piece]
    private let file: OpenFile
    private var next = 0

    public init(seed: UInt64, pieces count: Int = 60, largest: Int = 40_000) throws {
        var random = SeededGenerator(seed: seed)
        let size = max(largest * 2, 1_000)
        let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        file = try temporaryFile(content)
        var expected: [UInt8] = []
        var pieces: [Piece] = []
        for index in 0..<count {
            let length = Bool.random(using: &random) ? Int.random(in: 1...64, using: &random) : Int.random(in: 1...largest, using: &random)
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &+ index &* 17) }
            switch Int.random(in: 0..<9, using: &random) {
            case 0...2: pieces.append(.bytes(bytes))
            case 3, 4: pieces.append(.shared(bytes))
            case 5, 6:
                let offset = Int.random(in: 0...size - length, using: &random)
                pieces.append(.file(offset: offset, count: length))
                expected += content[offset..<offset + length]
                continue
            case 7: pieces.append(.passing(bytes))
            default:
                pieces.append(Bool.random(using: &random) ? .cork : .uncork)
                continue
            }
            expected += bytes
        }
        self.expected = expected
        self.pieces = pieces
    }

    /// Everything has been written.
    public var isDone: Bool { next == pieces.count }

    /// Writes on until the connection is backed up; the rest when it has drained.
    public mutating func write(on connection: inout Connection) {
        while next < pieces.count && !connection.isBackedUp {
            switch pieces[next] {
            case .bytes(let bytes): connection.write(bytes.span.bytes)
            case .shared(let bytes): connection.write(SharedBytes(copying: bytes.span.bytes))
            case .file(let offset, let count): connection.write(file, from: offset, count: count)
            case .passing(let bytes) where connection.layer != nil:
                // Nothing travels beside what is sealed.
                connection.write(bytes.span.bytes)
            case .passing(let bytes):
                connection.write(bytes.span.bytes, passing: Descriptor(owning: open("/dev/null", O_RDONLY | O_CLOEXEC)))
            case .cork: connection.cork()
            case .uncork: connection.uncork()
            }
            next += 1
        }
        if isDone { connection.uncork() }
    }
}

/// A file without a name that holds `content`.
public func temporaryFile(_ content: [UInt8] = []) throws(SystemError) -> OpenFile {
    OpenFile(try temporaryDescriptor(content))
}

/// The descriptor of a file without a name that holds `content`.
public func temporaryDescriptor(_ content: [UInt8] = []) throws(SystemError) -> Descriptor {
    var path = Array("/tmp/reactor-test-XXXXXX".utf8CString)
    let number = mkstemp(&path)
    guard number >= 0 else { throw SystemError("make a file", errno: errno) }
    let descriptor = Descriptor(owning: number)
    unlink(path)
    _ = fcntl(number, F_SETFD, FD_CLOEXEC)
    guard write(number, content, content.count) == content.count else { throw SystemError("write a file", errno: errno) }
    return descriptor
}
