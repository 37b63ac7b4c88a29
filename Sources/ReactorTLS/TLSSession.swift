import COpenSSL
import CReactorTLS
public import ConnectionHandling
public import ReactorWire

/// One end of a TLS connection (RFC 8446, RFC 5246), between a handler and its transport. It knows no socket: see
/// ``ConnectionLayer``. Made by a ``TLSServerContext`` or ``TLSClientContext``, on the thread that will use it, and not
/// `Sendable`.
///
/// An idle session holds no buffer: OpenSSL gives its own back between records.
public final class TLSSession: ConnectionLayer {
    /// Nil if there was no memory for it; ``failure`` says so then.
    package let ssl: OpaquePointer?
    private let source: UnsafeMutablePointer<creactor_tls_wire>?
    /// What OpenSSL's callbacks refer to without owning it.
    private let settings: AnyObject
    private let isServer: Bool
    private var opening = Opening()
    /// Where a client's session is kept to be resumed.
    var place: (cache: ClientSessionCache, key: String)?
    /// What a callback found wrong, where OpenSSL's own reason says less.
    var refusal: TLSFailure?

    init(_ context: SSLContext, server isServer: Bool, limits: TLSLimits, keeping settings: AnyObject) {
        ssl = SSL_new(context.pointer)
        self.settings = settings
        self.isServer = isServer
        source = ssl.flatMap { creactor_tls_join($0, nil, appendToWire) }
        super.init(handshakeTime: limits.handshakeTime)
        guard let ssl, let source else {
            failure = TLSFailure(.system, detail: OpenSSLErrors.take())
            return
        }
        let owner = Unmanaged.passUnretained(self).toOpaque()
        source.pointee.owner = owner
        source.pointee.late_allowance = UInt64(max(limits.lateMessages, 0))
        source.pointee.bytes_per_late_message = UInt64(max(limits.bytesPerLateMessage, 1))
        copenssl_set_owner(ssl, owner)
        if isServer { SSL_set_accept_state(ssl) } else { SSL_set_connect_state(ssl) }
    }

    deinit {
        // Otherwise OpenSSL would forget the session of a connection that had no proper end, which a client may well resume
        // (RFC 5246 section 7.2.1).
        if failure == nil || failure?.kind == .truncated { SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN) }
        SSL_free(ssl)
    }

    /// The session that a callback of OpenSSL's is about. Lent: not beyond the callback.
    static func of(_ ssl: OpaquePointer?) -> TLSSession? {
        guard let ssl, let owner = copenssl_owner(ssl) else { return nil }
        return Unmanaged<TLSSession>.fromOpaque(owner).takeUnretainedValue()
    }

    // MARK: The layer

    public override func start() {
        if !isServer { proceed() }
    }

    public override func receive(_ bytes: RawSpan, into input: inout ByteQueue) {
        guard failure == nil, let ssl, let source else { return }
        bytes.withUnsafeBytes { lent in
            source.pointee.input = lent.baseAddress?.assumingMemoryBound(to: UInt8.self)
            source.pointee.waiting = lent.count
            if isHandshaking {
                opening.note(lent)
                proceed()
            }
            if !isHandshaking { open(into: &input) }
            // OpenSSL writes nothing in the middle of a message: a large ticket in several records, say.
            isMidMessage = !isHandshaking && SSL_in_init(ssl) != 0
            // Lent no longer. What followed a failure or close_notify is nobody's.
            source.pointee.input = nil
            source.pointee.waiting = 0
        }
    }

    public override func seal(_ output: RawSpan) {
        guard failure == nil, let ssl, output.byteCount > 0 else { return }
        output.withUnsafeBytes { bytes in
            var written = 0
            // Room for all records at once, so that the wire does not grow by copying itself.
            wire.append(capacity: bytes.count + (bytes.count / 16_384 + 1) * 64) { _ in 0 }
            ERR_clear_error()
            // One call makes all records: the wire never has to be waited for.
            if SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &written) != 1 { fail() }
        }
    }

    public override func finish() {
        guard failure == nil, !isHandshaking, let ssl else { return }
        ERR_clear_error()
        if SSL_shutdown(ssl) < 0 { ERR_clear_error() }
    }

    // MARK: OpenSSL

    private func proceed() {
        guard failure == nil, let ssl else { return }
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_NONE:
            isHandshaking = false
            source?.pointee.established = 1
            if let place { place.cache.noteReplacement(on: ssl, for: place.key) }
        case SSL_ERROR_WANT_READ: break
        case SSL_ERROR_ZERO_RETURN: failure = TLSFailure(.handshakeCutOff)
        default: fail()
        }
    }

    private func open(into input: inout ByteQueue) {
        guard let ssl, let source else { return }
        // Room for all of it at once, so that the input does not grow by copying itself.
        input.append(capacity: max(source.pointee.waiting, 256)) { _ in 0 }
        while !inputEnded && failure == nil {
            // No more than this can come out, or than a record holds.
            let room = min(max(source.pointee.waiting, Int(SSL_pending(ssl)), 256), 16_384)
            var result: Int32 = 0
            input.append(capacity: room) { target in
                var count = 0
                ERR_clear_error()
                result = SSL_read_ex(ssl, target.baseAddress, target.count, &count)
                return result == 1 ? count : 0
            }
            if result != 1 {
                switch SSL_get_error(ssl, result) {
                case SSL_ERROR_WANT_READ: break
                case SSL_ERROR_ZERO_RETURN: inputEnded = true
                default: fail()
                }
                checkLateMessages()
                return
            }
            if source.pointee.waiting == 0 && SSL_pending(ssl) == 0 { break }
        }
        checkLateMessages()
    }

    private func checkLateMessages() {
        guard failure == nil, let source, creactor_tls_is_flooded(source) != 0 else { return }
        failure = TLSFailure(.violation, detail: "too many handshake messages behind the handshake")
    }

    private func fail() {
        guard let ssl else { return }
        var found = refusal ?? TLSFailure.takingErrors(of: ssl)
        ERR_clear_error()
        if isHandshaking, let kind = opening.kindOfStranger {
            found = TLSFailure(kind)
            if isServer && kind == .plainHTTP {
                wire.append(
                    """
                    HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 50\r\nConnection: close\r\n\r\n\
                    This port speaks TLS: use https:// to talk to it.\n
                    """)
            }
        }
        failure = found
    }
}

/// Called by the C side with what OpenSSL sends.
private let appendToWire: @convention(c) (UnsafeMutableRawPointer?, UnsafeRawPointer?, Int) -> Void = { owner, bytes, count in
    guard let owner, let bytes else { return }
    Unmanaged<TLSSession>.fromOpaque(owner)._withUnsafeGuaranteedRef { session in
        session.wire.append(RawSpan(_unsafeStart: bytes, byteCount: count))
    }
}
