import ConnectionHandling
import Glibc
import TestSupport

/// A handler that does what its input says, a letter each.
struct Scripted: ConnectionHandler {
    private let entry: Entry
    private var answer: Awaited<String>?
    private var remaining = 0
    private var mix: OutputMix?

    init(_ ledger: Ledger) { entry = Entry(ledger) }

    mutating func connected(on connection: inout Connection) {
        entry.opened()
        connection.setDeadline(after: .seconds(30))
    }

    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        entry.called()
        var used = 0
        while used < bytes.byteCount, !connection.isAwaiting, !connection.isClosing, !connection.isBackedUp, remaining == 0 {
            let command = bytes.unsafeLoad(fromByteOffset: used, as: UInt8.self)
            used += 1
            switch UnicodeScalar(command) {
            case "a": answer = connection.perform { usleep(20_000); return "performed;" }
            case "s": answer = connection.await { try await Task.sleep(for: .milliseconds(20)); return "awaited;" }
            case "f": answer = connection.perform { throw CancellationError() }
            case "d": connection.setDeadline(after: .milliseconds(50))
            case "h": connection.write("half;"); connection.finishOutput()
            case "q": connection.write("bye;"); connection.close()
            case "l": connection.write("refused;"); connection.close(.lingering)
            case "x": connection.write("dropped"); connection.close(.aborting)
            case "p":
                connection.pauseReading()
                connection.setDeadline(after: .milliseconds(50))
                return used
            case "i": connection.write("\(getpid());")
            case "w": remaining = 40_000_000; fill(&connection)
            case "n": connection.write(entry.line)
            case "k": connection.cork(); connection.write("corked;")
            case "u": connection.uncork()
            case "F": sendFile(truncated: false, &connection)
            case "T": sendFile(truncated: true, &connection)
            case "V": passDescriptor(&connection)
            case "t": takeDescriptors(&connection)
            case "2", "m":
                // With the byte behind it.
                guard used < bytes.byteCount else { return used - 1 }
                let argument = bytes.unsafeLoad(fromByteOffset: used, as: UInt8.self)
                used += 1
                if command == UInt8(ascii: "m") { start(mixSeed: argument, &connection) } else { connection.write("pair;") }
            default: connection.write("\(UnicodeScalar(command));")
            }
        }
        return used
    }

    // MARK: Output of all kinds

    /// Forty million bytes, as fast as the peer takes them.
    private mutating func fill(_ connection: inout Connection) {
        while remaining > 0 && !connection.isBackedUp {
            connection.write("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
            remaining -= 64
        }
    }

    private mutating func start(mixSeed seed: UInt8, _ connection: inout Connection) {
        mix = try? OutputMix(seed: UInt64(seed))
        mix?.write(on: &connection)
    }

    /// Eight million bytes; or a file that loses all but the first million once it was promised.
    private func sendFile(truncated: Bool, _ connection: inout Connection) {
        guard let descriptor = try? temporaryDescriptor() else { return connection.close(.aborting) }
        let number = descriptor.number
        let file = OpenFile(descriptor)
        guard ftruncate(number, 8_000_000) == 0 else { return connection.close(.aborting) }
        connection.write("file;")
        connection.write(file, count: 8_000_000)
        if truncated && ftruncate(number, 1_000_000) != 0 { connection.close(.aborting) }
    }

    /// The reading end of a pipe with a greeting in it.
    private func passDescriptor(_ connection: inout Connection) {
        var pair: [CInt] = [0, 0]
        guard pipe(&pair) == 0 else { return connection.close(.aborting) }
        let writing = Descriptor(owning: pair[1])
        write(writing.number, "greeting", 8)
        connection.write(Array("passed;".utf8).span.bytes, passing: Descriptor(owning: pair[0]))
    }

    /// Writes what each descriptor that the peer passed has to read.
    private mutating func takeDescriptors(_ connection: inout Connection) {
        while let descriptor = connection.takeDescriptor() {
            var text = [UInt8](repeating: 0, count: 100)
            let count = read(descriptor.number, &text, text.count)
            connection.write("took \(String(decoding: text.prefix(max(count, 0)), as: UTF8.self));")
        }
    }

    // MARK: Events

    mutating func drained(on connection: inout Connection) {
        entry.called()
        fill(&connection)
        mix?.write(on: &connection)
    }

    mutating func answered(on connection: inout Connection) {
        entry.called()
        switch answer?.take() {
        case .success(let text): connection.write(text)
        case .failure: connection.write("failed;")
        case nil: connection.write("missing;")
        }
    }

    mutating func deadlineExpired(on connection: inout Connection) {
        entry.called()
        connection.write("deadline;")
        connection.resumeReading()
    }

    mutating func endOfInput(on connection: inout Connection) {
        entry.called()
        connection.write("end;")
        connection.close()
    }

    mutating func stopping(on connection: inout Connection) {
        entry.called()
        connection.write("stopping;")
        connection.close()
    }

    mutating func closed(_ reason: CloseReason) { entry.closed() }
}
