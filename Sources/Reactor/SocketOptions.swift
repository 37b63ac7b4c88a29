public import ConnectionHandling
import Glibc

/// Options of a stream socket, in the words of tcp(7) and socket(7). Those left nil are the system's.
public struct StreamOptions: Sendable {
    /// Small writes are sent at once (TCP_NODELAY): output is gathered for each turn already.
    public var noDelay = true
    /// Probes of a silent peer by the system. Off: ``ConnectionLimits/idle`` ends silent connections sooner.
    public var keepAlive: KeepAlive?
    /// SO_LINGER: how long close(2) may wait for unsent data to be taken, 0 to reset instead. A loop waits for nobody:
    /// there only 0 counts, and else the system sends what is left after the close.
    public var linger: Duration?
    /// SO_SNDBUF and SO_RCVBUF in bytes. Setting them ends the system's own tuning.
    public var sendBuffer: Int?
    public var receiveBuffer: Int?
    /// TCP_USER_TIMEOUT: how long sent data may stay unacknowledged.
    public var userTimeout: Duration?

    public init() {}

    /// TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT.
    public struct KeepAlive: Sendable {
        public var idle: Duration
        public var interval: Duration
        public var count: Int

        /// One minute of silence, then four probes 15 seconds apart: a vanished peer is noticed within two minutes.
        public init(idle: Duration = .seconds(60), interval: Duration = .seconds(15), count: Int = 4) {
            self.idle = idle
            self.interval = interval
            self.count = count
        }
    }
}

/// How to listen. Every option has a default.
public struct ListenOptions: Sendable {
    /// Connections that may wait to be accepted; the kernel caps it at `net.core.somaxconn`, 4096 on current Linux.
    public var backlog = 4_096
    /// Other sockets of this user may be bound to the same port, and the kernel spreads connections over them
    /// (SO_REUSEPORT). Off: it would let a second server take part of a port by mistake.
    public var reusesPort = false
    /// `[::]` takes IPv4 connections too, whose peers then appear with their IPv4 addresses. Off: who wants both families
    /// listens on both, and sees both.
    public var dualStack = false
    /// Connections are accepted once their first data is there, or this time has passed (TCP_DEFER_ACCEPT). Nil: a
    /// protocol in which the server speaks first would wait for it.
    public var deferAccept: Duration?
    /// Connections whose first data may come with the handshake (TCP_FASTOPEN): how many may wait. 0 for none, the
    /// default, since such data can be repeated by the network: only for protocols that bear it.
    public var fastOpen = 0
    /// The mode of a Unix-domain socket's file, such as 0o660; nil for what the process's umask leaves.
    public var fileMode: UInt32?
    /// Handed down to every accepted connection.
    public var stream = StreamOptions()
    /// Connections at a time; more wait to be accepted. 65,536: above what descriptors usually allow.
    public var maxConnections = 65_536
    /// Connections at a time from one address (an IPv6 /64 network); more are closed at once. 4,096: many users may
    /// share an address behind a proxy, none needs a sixteenth of all. Peers on Unix-domain sockets are not counted.
    public var maxConnectionsPerPeer = 4_096

    public init() {}

    public static var `default`: ListenOptions { ListenOptions() }
}

/// How to connect. Every option has a default.
public struct ConnectOptions: Sendable {
    /// How long to try: ten seconds.
    public var timeout: Duration = .seconds(10)
    /// The address to connect from; nil for the system's choice. Port 0 takes any.
    public var localAddress: SocketAddress?
    /// What is written first goes with the handshake where the peer has given its consent before (TCP_FASTOPEN_CONNECT).
    /// Only for protocols in which the client speaks first: nothing is sent, nor any failure seen, until it does.
    public var fastOpen = false
    public var stream = StreamOptions()

    public init() {}

    public init(timeout: Duration) { self.timeout = timeout }

    public static var `default`: ConnectOptions { ConnectOptions() }
}

/// setsockopt(2), with what it refuses as an error.
struct OptionSetter {
    let number: CInt
    let operation: String
    let address: SocketAddress?

    func set<Value: BitwiseCopyable>(_ level: CInt, _ option: CInt, _ value: Value) throws(SystemError) {
        var value = value
        guard setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Value>.size)) == 0 else {
            throw SystemError(operation, errno: errno, address: address)
        }
    }

    func set(_ options: StreamOptions, isTCP: Bool) throws(SystemError) {
        if let bytes = options.sendBuffer { try set(SOL_SOCKET, SO_SNDBUF, CInt(clamping: bytes)) }
        if let bytes = options.receiveBuffer { try set(SOL_SOCKET, SO_RCVBUF, CInt(clamping: bytes)) }
        if let linger = options.linger {
            try set(SOL_SOCKET, SO_LINGER, Glibc.linger(l_onoff: 1, l_linger: linger.wholeSecondsRoundedUp))
        }
        guard isTCP else { return }
        let tcp = CInt(IPPROTO_TCP)
        if options.noDelay { try set(tcp, TCP_NODELAY, CInt(1)) }
        if let keepAlive = options.keepAlive {
            try set(SOL_SOCKET, SO_KEEPALIVE, CInt(1))
            try set(tcp, TCP_KEEPIDLE, max(keepAlive.idle.wholeSecondsRoundedUp, 1))
            try set(tcp, TCP_KEEPINTVL, max(keepAlive.interval.wholeSecondsRoundedUp, 1))
            try set(tcp, TCP_KEEPCNT, CInt(clamping: max(keepAlive.count, 1)))
        }
        if let timeout = options.userTimeout {
            try set(tcp, TCP_USER_TIMEOUT, CInt(clamping: timeout.wholeNanoseconds / 1_000_000))
        }
    }
}

/// Makes close(2) wait for nothing: with SO_LINGER it waits on a non-blocking socket too, and every other connection of
/// the loop would wait with it. A linger of zero, which is a reset, stays.
func neverWaitOnClose(_ number: CInt) {
    var value = linger()
    var length = socklen_t(MemoryLayout<linger>.size)
    guard getsockopt(number, SOL_SOCKET, SO_LINGER, &value, &length) == 0, value.l_onoff != 0, value.l_linger > 0 else { return }
    value.l_onoff = 0
    setsockopt(number, SOL_SOCKET, SO_LINGER, &value, length)
}

extension Duration {
    var wholeSecondsRoundedUp: CInt {
        let nanoseconds = wholeNanoseconds
        return CInt(clamping: nanoseconds / 1_000_000_000 + (nanoseconds % 1_000_000_000 > 0 ? 1 : 0))
    }
}
