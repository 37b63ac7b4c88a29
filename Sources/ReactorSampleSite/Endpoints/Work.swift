import ConnectionHandling
import Glibc
import ReactorHTTP
import ReactorWeb
import ReactorWire

/// `/block?ms=`, `/burn?ms=` and `/mix`: what it does to the others when a handler waits or works. On a loop it holds the loop;
/// offloaded, it holds one of the pool's threads; elsewhere the connection's own thread or process.
struct Work: HTTPApplication {
    enum Kind: Sendable {
        /// Sleeps, as one waits for a database.
        case block
        /// Works for so much time of its thread's CPU.
        case burn
        /// Of ten requests eight are neither, one blocks for 1 ms, one burns 1 ms.
        case mix
    }

    /// A second, in milliseconds: long enough to be seen, and no way to hold a thread for long.
    static let longest = 1_000

    let kind: Kind
    /// On the pool.
    let isOffloaded: Bool
    private var awaited: Awaited<Void>?

    init(_ kind: Kind, isOffloaded: Bool) {
        self.kind = kind
        self.isOffloaded = isOffloaded
    }

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        var (kind, milliseconds) = (kind, 1)
        if kind == .mix {
            guard let chosen = (response.context[MixTurn.self] ?? MixTurn()).kind else { return Self.answer(&response) }
            kind = chosen
        } else {
            guard let asked = request.queryNumber("ms", 0...Self.longest, default: 1) else {
                return response.refuse("ms is a number from 0 to \(Self.longest)")
            }
            milliseconds = asked
        }
        if isOffloaded {
            awaited = response.perform { [kind, milliseconds] in Self.do(kind, milliseconds) }
        } else {
            Self.do(kind, milliseconds)
            Self.answer(&response)
        }
    }

    mutating func answered(_ response: inout ResponseWriter) {
        awaited = nil
        Self.answer(&response)
    }

    /// As `/plaintext`, so that the work is all the difference.
    private static func answer(_ response: inout ResponseWriter) { response.send(.ok, contentType: "text/plain", "Hello, World!") }

    private static func `do`(_ kind: Kind, _ milliseconds: Int) {
        switch kind {
        case .block: block(milliseconds)
        case .burn: burn(milliseconds)
        case .mix: break
        }
    }

    /// Until the clock says so: a signal, such as the one that tells threads of a stop, makes it no shorter.
    private static func block(_ milliseconds: Int) {
        var end = timespec()
        clock_gettime(CLOCK_MONOTONIC, &end)
        let nanoseconds = end.tv_nsec + milliseconds * 1_000_000
        end.tv_sec += nanoseconds / 1_000_000_000
        end.tv_nsec = nanoseconds % 1_000_000_000
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nil) == EINTR {}
    }

    private static func burn(_ milliseconds: Int) {
        let end = threadNanoseconds + milliseconds * 1_000_000
        var state: UInt64 = 1
        // The state is never 0, which the compiler doesn't know: it cannot leave the work out. Between two readings of the
        // clock, each a system call, are some microseconds of work.
        while threadNanoseconds < end || state == 0 {
            for _ in 0..<1_000 {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
            }
        }
    }

    private static var threadNanoseconds: Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}

/// Which of ten requests the next `/mix` of a connection is. Where the ten begin follows from the peer's port, so that
/// connections that were opened together do not all block at once, and those with one request each come to every turn.
struct MixTurn: ExchangeContextKey, Sendable {
    typealias Value = MixTurn

    private var turn = 0

    init() {}
    init(port: UInt16) { turn = Int(port) % 10 }

    /// Nil for a plain one.
    var kind: Work.Kind? {
        switch turn {
        case 3: .block
        case 8: .burn
        default: nil
        }
    }

    mutating func advance() { turn = (turn + 1) % 10 }
}
