import CLibev
public import ConnectionHandling
import Glibc

extension EventLoop {
    /// Connects to `address`. The handler is made, on this loop's thread, once the connection is there.
    ///
    /// - Parameters:
    ///   - timeout: how long to try. Ten seconds by default.
    ///   - onFailure: called instead, once, with the system's reason; `ETIMEDOUT` if the time ran out.
    public func connect<Handler: ConnectionHandler & ~Copyable>(
        to address: SocketAddress, timeout: Duration = .seconds(10), limits: ConnectionLimits = .default,
        onFailure: @escaping (SystemError) -> Void, makeHandler: @escaping () -> Handler
    ) {
        let operation = "connect to \(address)"
        let number = socket(address.family, CInt(SOCK_STREAM.rawValue) | ListeningSocket.flags, 0)
        guard number >= 0, address.fits else {
            let error = SystemError(operation, errno: number < 0 ? errno : ENAMETOOLONG)
            if number >= 0 { Glibc.close(number) }
            after(.zero) { onFailure(error) }
            return
        }
        if !address.isUnix { ListeningSocket.set(number, CInt(IPPROTO_TCP), TCP_NODELAY) }
        // Even a connection made at once is reported from the loop: callers see one order of events.
        let started = address.withSystemAddress { Glibc.connect(number, $0, $1) }
        let error = started == 0 || errno == EINPROGRESS ? 0 : errno
        ConnectAttempt(
            loop: self, fd: number, failed: error, timeout: timeout,
            finish: { [unowned self] error in
                if error == 0 {
                    _ = StreamConnection(
                        loop: self, fd: number, peer: address, handler: TypedHandlerBox(makeHandler()),
                        limits: ResolvedLimits(limits))
                } else {
                    Glibc.close(number)
                    onFailure(SystemError(operation, errno: error))
                }
            }
        ).start()
    }
}

/// One connect(2) under way.
private final class ConnectAttempt: LoopOwned {
    private let fd: CInt
    private let failed: CInt
    private let timeout: Duration
    private let finish: (CInt) -> Void
    private var writable: Watcher?
    private var timer: Watcher?

    init(loop: EventLoop, fd: CInt, failed: CInt, timeout: Duration, finish: @escaping (CInt) -> Void) {
        self.fd = fd
        self.failed = failed
        self.timeout = timeout
        self.finish = finish
        super.init(loop: loop)
        loop.own(self)
    }

    func start() {
        if failed != 0 {
            timer = loop.after(.zero) { [unowned self] in settle(failed) }
            return
        }
        writable = loop.onWritable(fd) { [unowned self] in
            var error: CInt = 0
            var length = socklen_t(MemoryLayout<CInt>.size)
            settle(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno)
        }
        timer = loop.after(timeout) { [unowned self] in settle(ETIMEDOUT) }
    }

    private func settle(_ error: CInt) {
        guard isOwned else { return }
        writable?.cancel()
        timer?.cancel()
        loop.disown(self)
        finish(error)
    }

    /// The loop is going: nobody is left to tell.
    override func end() {
        guard isOwned else { return }
        writable?.cancel()
        timer?.cancel()
        loop.disown(self)
        Glibc.close(fd)
    }
}
