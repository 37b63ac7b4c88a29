public import ConnectionHandling
import Glibc
import Reactor
import Synchronization

/// A server that a client can ask to misbehave: a line comes back, but for those that `received` knows.
public struct LineServer: ConnectionHandler {
    private enum Later { case nothing, close, speak }
    private var later = Later.nothing

    public init() {}

    public mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        var used = 0
        for index in 0..<bytes.byteCount where bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self) == 10 {
            let line = bytes.extracting(used..<index + 1)
            answer(line, line.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }, on: &connection)
            used = index + 1
        }
        return used
    }

    private mutating func answer(_ line: RawSpan, _ text: String, on connection: inout Connection) {
        switch text {
        case "stall\n": return
        case "vanish\n": return connection.close(.aborting)
        case "answer and close\n": later = .close
        case "answer and speak\n": later = .speak
        case "last\n": connection.close()
        default: break
        }
        connection.write(line)
        if case .nothing = later { return }
        connection.setDeadline(after: .milliseconds(20))
    }

    public mutating func deadlineExpired(on connection: inout Connection) {
        if case .speak = later { connection.write("unasked\n") } else { connection.close() }
    }
}

/// A client that sends lines, and keeps those that come back.
public struct LineCaller: ReusableConnectionHandler {
    public var answers: [String] = []
    public var owed = 0
    /// Called with each answer; with an empty one if the connection closes before it.
    public var onAnswer: ((String) -> Void)?
    private let counted: Counted?

    public init(countedBy counter: LiveCounter? = nil) { counted = counter.map(Counted.init) }

    public var isReusable: Bool { owed == 0 }
    public var last: String? { answers.last }

    public mutating func ask(_ line: String, on connection: inout Connection, then: @escaping (String) -> Void) {
        onAnswer = then
        ask(line, on: &connection)
    }

    public mutating func ask(_ line: String, on connection: inout Connection) {
        owed += 1
        connection.write(line + "\n")
    }

    public mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        var used = 0
        for index in 0..<bytes.byteCount where bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self) == 10 {
            let line = bytes.extracting(used..<index).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
            used = index + 1
            owed -= 1
            answers.append(line)
            onAnswer?(line)
        }
        return used
    }

    public mutating func closed(_ reason: CloseReason) { if owed > 0 { onAnswer?("") } }
}

/// How many of the objects that were counted are alive.
public final class LiveCounter: Sendable {
    fileprivate let count = Atomic(0)
    public init() {}
    public var alive: Int { count.load(ordering: .relaxed) }
}

private final class Counted: Sendable {
    let counter: LiveCounter
    init(_ counter: LiveCounter) {
        self.counter = counter
        counter.count.add(1, ordering: .relaxed)
    }
    deinit { counter.count.subtract(1, ordering: .relaxed) }
}

/// A server on a loop with a thread of its own, which serves until this goes.
public final class ThreadedServer: Sendable {
    public let address: SocketAddress
    private let thread: LoopThread<SocketAddress>

    public convenience init() throws { try self.init { LineServer() } }

    public init<Handler: ConnectionHandler & ~Copyable>(makeHandler: @escaping @Sendable () -> Handler) throws {
        thread = try LoopThread { try $0.listen(on: .loopback(port: 0), makeHandler: makeHandler).address }
        address = thread.made
    }

    /// Its connections and its listener are closed soon after.
    public func stop() { thread.stop() }
}

/// Descriptors of this process that are connected to `address`.
public func descriptorsConnected(to address: SocketAddress) -> Int {
    (0..<4_096).count { SocketAddress.peer(of: $0) == address }
}
