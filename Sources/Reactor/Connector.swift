import CLibev
public import ConnectionHandling
import Glibc

extension EventLoop {
    /// Connects to `address`. The handler is made, on this loop's thread, once the connection is there.
    ///
    /// - Parameter onFailure: called instead, once, with the system's reason; `ETIMEDOUT` if the time ran out.
    /// - Returns: the connection to be, for others than its handler; it need not be kept.
    @discardableResult
    public func connect<Handler: ConnectionHandler & ~Copyable>(
        to address: SocketAddress, limits: ConnectionLimits = .default, options: ConnectOptions = .default,
        onFailure: @escaping (SystemError) -> Void, makeHandler: @escaping () -> Handler
    ) -> LoopConnection<Handler> {
        let connection = LoopConnection<Handler>(loop: self)
        let limits = ResolvedLimits(limits)
        let giveUp = connect(socketTo: address, options) { result in
            switch result {
            case .success(let number):
                connection.connected(Descriptor(owning: number), to: address, options, limits, makeHandler())
            case .failure(let error):
                connection.failed()
                onFailure(error)
            }
        }
        connection.connecting(giveUp)
        return connection
    }

    /// Connects a socket, for whoever decides what becomes of it.
    ///
    /// - Parameter finish: called once from the loop, even where it is known at once how the attempt ends: callers see
    ///   one order of events. It owns the descriptor that it is given.
    /// - Returns: what gives the attempt up: nobody is told then. Harmless when it has ended.
    package func connect(
        socketTo address: SocketAddress, _ options: ConnectOptions, finish: @escaping (Result<CInt, SystemError>) -> Void
    ) -> () -> Void {
        ConnectAttempt(loop: self, to: address, options, finish: finish).end
    }
}

extension LoopConnection where Handler: ~Copyable {
    /// What was being made is there: it is served from now on.
    package func connected(
        _ descriptor: consuming Descriptor, to address: SocketAddress, _ options: ConnectOptions, _ limits: ResolvedLimits,
        _ handler: consuming Handler
    ) {
        if options.stream.linger != nil { neverWaitOnClose(descriptor.number) }
        serve(descriptor, peer: address, limits: limits, TypedHandlerBox(handler))
    }
}

/// A socket on its way to be connected, for the loop and for threads that wait.
package struct ConnectingSocket: ~Copyable {
    package let descriptor: Descriptor
    private let address: SocketAddress

    package static func operation(_ address: SocketAddress) -> String { "connect to \(address)" }

    /// - Throws: ``SystemError`` if the options or the address are refused.
    package init(_ address: SocketAddress, _ options: ConnectOptions) throws(SystemError) {
        let operation = Self.operation(address)
        func fail(_ error: CInt = errno) -> SystemError { SystemError(operation, errno: error, address: address) }
        guard address.fits else { throw fail(ENAMETOOLONG) }
        let number = socket(address.family, CInt(SOCK_STREAM.rawValue) | ListeningSocket.flags, 0)
        guard number >= 0 else { throw fail() }
        let descriptor = Descriptor(owning: number)
        let setter = OptionSetter(number: number, operation: operation, address: address)
        try setter.set(options.stream, isTCP: !address.isUnix)
        // An older kernel has it not, and the connection is made without.
        if options.fastOpen && !address.isUnix { try? setter.set(CInt(IPPROTO_TCP), TCP_FASTOPEN_CONNECT, CInt(1)) }
        if let local = options.localAddress {
            guard local.fits, local.withSystemAddress({ bind(number, $0, $1) }) == 0 else {
                throw SystemError("connect to \(address) from \(local)", errno: errno, address: local)
            }
        }
        self.address = address
        self.descriptor = descriptor
    }

    /// Begins to connect, or looks whether it can. 0 if the connection is there, `EINPROGRESS` if the socket will become
    /// writable, `EAGAIN` if it must be tried again after a while: a Unix-domain listener's backlog is full.
    package borrowing func connect() -> CInt {
        address.withSystemAddress { Glibc.connect(descriptor.number, $0, $1) } == 0 ? 0 : errno
    }

    /// How it went, once the socket is writable: 0, or an `errno`.
    package var outcome: CInt {
        var error: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(descriptor.number, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno
    }
}

/// One connect(2) under way on a loop.
final class ConnectAttempt: LoopOwned {
    private var socket: ConnectingSocket?
    private let address: SocketAddress
    /// Nil once it was called: it keeps whoever waits for the attempt, who may keep the attempt.
    private var finish: ((Result<CInt, SystemError>) -> Void)?
    private var watcher: Watcher?
    private var timer: Watcher?

    /// How soon a full backlog is tried again.
    private static let retryInterval = Duration.milliseconds(10)

    init(
        loop: EventLoop, to address: SocketAddress, _ options: ConnectOptions,
        finish: @escaping (Result<CInt, SystemError>) -> Void
    ) {
        self.address = address
        self.finish = finish
        super.init(loop: loop)
        loop.own(self)
        do throws(SystemError) {
            let made = try ConnectingSocket(address, options)
            socket = consume made
            timer = loop.after(options.timeout) { [unowned self] in settle(ETIMEDOUT) }
            proceed()
        } catch {
            let failure = error
            watcher = loop.after(.zero) { [unowned self] in settle(failure) }
        }
    }

    private func proceed() {
        guard let number = socket?.descriptor.number, let error = socket?.connect() else { return }
        switch error {
        case 0, EINPROGRESS:
            watcher = loop.onWritable(number) { [unowned self] in if let outcome = socket?.outcome { settle(outcome) } }
        case EAGAIN:
            watcher = loop.after(Self.retryInterval) { [unowned self] in proceed() }
        default:
            watcher = loop.after(.zero) { [unowned self] in settle(error) }
        }
    }

    private func settle(_ error: CInt) {
        settle(error == 0 ? nil : SystemError(ConnectingSocket.operation(address), errno: error, address: address))
    }

    private func settle(_ error: SystemError?) {
        guard isOwned else { return }
        let connected = socket.take()
        let finish = finish
        end()
        if let error { finish?(.failure(error)) } else if let connected { finish?(.success(connected.release())) }
    }

    /// Given up by the caller, or the loop is going: nobody is told.
    override func end() {
        guard isOwned else { return }
        watcher?.cancel()
        timer?.cancel()
        socket = nil
        finish = nil
        loop.disown(self)
    }
}

extension ConnectingSocket {
    package consuming func release() -> CInt { descriptor.release() }
}
