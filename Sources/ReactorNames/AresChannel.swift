import CCAres
import ConnectionHandling
import Glibc
import Reactor
import ReactorDNS
import ReactorWire

/// What became of a query that was sent.
enum Reply {
    /// The server's message, and how many bytes it had.
    case message(DNSMessage)
    case malformed(DNSViolation)
    case timedOut
    case unreachable
    case outOfMemory
}

/// One name server behind c-ares, which sends, gives up after the time for one try, changes to TCP where an answer is
/// truncated, and takes only answers that come from the server with the id and the question of a query under way.
///
/// It asks once. Which server is asked next, and whether, is decided above: c-ares would not say what a server answered
/// that failed (decision 0020).
final class AresChannel {
    private var channel: ares_channel?
    /// A socket is to be watched for reading and writing, or no more for either, before it is closed.
    private let interest: (CInt, _ readable: Bool, _ writable: Bool) -> Void
    private(set) var outstanding = 0
    private var ids = QueryIDs()
    let payloadSize: UInt16
    /// c-ares gives up EDNS for a server that calls it a format error; so do we.
    var usesEDNS = true

    init(
        server: SocketAddress, timeout: Duration, payloadSize: UInt16,
        interest: @escaping (CInt, _ readable: Bool, _ writable: Bool) -> Void
    ) throws(SystemError) {
        self.interest = interest
        self.payloadSize = min(max(payloadSize, 512), 4096)
        var options = ares_options()
        options.flags = ARES_FLAG_EDNS | ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH
        options.ednspsz = CInt(self.payloadSize)
        options.timeout = CInt(clamping: max(1, timeout.wholeNanoseconds / 1_000_000))
        options.tries = 1
        options.sock_state_cb_data = Unmanaged.passUnretained(self).toOpaque()
        options.sock_state_cb = { context, socket, readable, writable in
            guard let context else { return }
            Unmanaged<AresChannel>.fromOpaque(context).takeUnretainedValue().interest(socket, readable != 0, writable != 0)
        }
        channel = try Ares.makeChannel(
            &options, ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB,
            configurationFile: "/dev/null")
        do { try Ares.setServer(server, of: channel) } catch {
            close()
            throw error
        }
    }

    /// Nothing that was sent is answered any more. Not from within one of its calls.
    func close() {
        guard let channel else { return }
        self.channel = nil
        ares_destroy(channel)
    }

    /// Sends a query. `completion` is called once, perhaps from within this call; not at all once the channel is closed.
    func send(_ question: DNSMessage.Question, completion: @escaping (Reply) -> Void) {
        guard let channel else { return completion(.unreachable) }
        let message = DNSMessage(id: ids.next(), asking: question, payloadSize: usesEDNS ? payloadSize : nil)
        var bytes = ByteQueue(capacity: 512)
        message.write(to: &bytes)
        outstanding += 1
        let pending = Unmanaged.passRetained(PendingReply(self, completion)).toOpaque()
        bytes.withUnsafeBytes { query in
            guard let start = query.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
            ares_send(channel, start, CInt(query.count), { PendingReply.take($0, $1, $3, $4) }, pending)
        }
    }

    fileprivate func ended(_ status: CInt, _ bytes: RawSpan, _ completion: (Reply) -> Void) {
        outstanding -= 1
        switch status {
        case ARES_SUCCESS:
            do throws(DNSViolation) {
                completion(.message(try DNSMessage(reading: bytes)))
            } catch {
                completion(.malformed(error))
            }
        case ARES_EDESTRUCTION: break
        case ARES_ETIMEOUT: completion(.timedOut)
        case ARES_ENOMEM: completion(.outOfMemory)
        default: completion(.unreachable)
        }
    }

    /// Reads and writes what it can.
    func process(_ socket: CInt, readable: Bool, writable: Bool) {
        guard let channel else { return }
        ares_process_fd(channel, readable ? socket : Ares.noSocket, writable ? socket : Ares.noSocket)
    }

    /// Gives up what has had its time.
    func expire() {
        guard let channel, outstanding > 0 else { return }
        ares_process_fd(channel, Ares.noSocket, Ares.noSocket)
    }

    /// When to call ``expire()``, from now.
    var timeToExpiry: Duration? {
        guard let channel, outstanding > 0 else { return nil }
        var time = timeval()
        guard ares_timeout(channel, nil, &time) != nil else { return nil }
        return .seconds(time.tv_sec) + .microseconds(time.tv_usec)
    }
}

/// Ids that nobody can foretell, since forged answers have to match them (RFC 5452 section 4.3). The system is asked for four
/// at a time.
private struct QueryIDs {
    private var bits: UInt64 = 0
    private var left = 0

    mutating func next() -> UInt16 {
        if left == 0 { (bits, left) = (.random(in: 0...UInt64.max), 4) }
        defer { (bits, left) = (bits >> 16, left - 1) }
        return UInt16(truncatingIfNeeded: bits)
    }
}

/// A query's way through c-ares, which holds it until it calls back.
private final class PendingReply {
    let channel: AresChannel
    let completion: (Reply) -> Void

    init(_ channel: AresChannel, _ completion: @escaping (Reply) -> Void) {
        self.channel = channel
        self.completion = completion
    }

    static func take(
        _ context: UnsafeMutableRawPointer?, _ status: CInt, _ bytes: UnsafeMutablePointer<UInt8>?, _ count: CInt
    ) {
        guard let context else { return }
        let pending = Unmanaged<PendingReply>.fromOpaque(context).takeRetainedValue()
        let message = UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : Int(max(0, count)))
        pending.channel.ended(status, message.bytes, pending.completion)
    }
}
