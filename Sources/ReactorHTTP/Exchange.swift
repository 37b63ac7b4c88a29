import ConnectionHandling
import ReactorWire

/// One request's answer in HTTP/1.1: how it is framed, and how far it has come. All that a connection keeps of a
/// request while its answer is written.
///
/// Plain data, so that it moves between connection and ``ResponseWriter`` for nothing. Its two references, which few
/// exchanges have, are counted by hand: whoever ends an exchange calls ``summarize()``.
@usableFromInline struct Exchange: ~Copyable {
    @usableFromInline enum Progress: UInt8 {
        /// No request waits for an answer.
        case none
        /// Nothing of the answer is written.
        case open
        case fields
        case body
        case ended
    }

    private enum Framing: UInt8 {
        /// To HEAD, and with a status that forbids one: what is written of a body is dropped.
        case noBody
        case length
        case chunked
        /// The body ends where the connection does: HTTP/1.0, and the length was not known.
        case untilClose
    }

    @usableFromInline var progress = Progress.none
    /// How it will have ended, if nothing else happens.
    @usableFromInline var end = ExchangeEnd.answered
    /// Another request may come behind this answer.
    private(set) var keepsAlive = false
    /// The peer has said that it sends nothing more.
    private(set) var peerCloses = false
    /// The request's body has not come, and there is no other request behind it unless the answer waits for it.
    var owesBody = false
    private var framing = Framing.length
    private var forbidsLength = false
    private(set) var minorVersion: UInt8 = 1
    /// 0 until it is decided.
    @usableFromInline var status: UInt16 = 0
    /// Of the body, when its length was given.
    private var remaining = 0
    @usableFromInline var bytesWritten = 0
    /// Its body comes piece by piece, and has not ended.
    var isStreaming = false
    /// More of that body is to come than would be passed over.
    var isFarFromEnd = false
    /// The connection has left HTTP.
    var isUpgraded = false
    /// What an error is told in.
    var page = StatusPage.undecided
    /// Fields go to the encoder of the context, which is to see them first.
    var holdsFields = false
    private(set) var heldChain: Unmanaged<MiddlewareChain>?
    private var heldContext: Unmanaged<ExchangeContext>?

    @usableFromInline init() {}

    /// The answer to a request that was read.
    init(_ head: borrowing RequestHead) {
        progress = .open
        keepsAlive = head.allowsKeepAlive
        peerCloses = !head.allowsKeepAlive
        minorVersion = head.minorVersion
        if head.method == .head { framing = .noBody }
    }

    /// The answer to a request that is refused before it is read: to HEAD, that has no body either
    /// (RFC 9110 section 9.3.2).
    init(refusingHEAD isHEAD: Bool) {
        progress = .open
        end = .refused
        if isHEAD { framing = .noBody }
    }

    /// The exchange is over: what there is to say of it, which has its references from now on.
    @usableFromInline consuming func summarize() -> ExchangeSummary {
        ExchangeSummary(
            end: end, status: status == 0 ? nil : HTTPStatus(status), bytesWritten: bytesWritten,
            context: heldContext?.takeRetainedValue(), chain: heldChain?.takeRetainedValue())
    }

    var chain: MiddlewareChain? {
        get { heldChain?.takeUnretainedValue() }
        set {
            heldChain?.release()
            heldChain = newValue.map { .passRetained($0) }
        }
    }

    @usableFromInline var context: ExchangeContext? {
        get { heldContext?.takeUnretainedValue() }
        set {
            heldContext?.release()
            heldContext = newValue.map { .passRetained($0) }
        }
    }

    /// The exchange is over, and nobody is to be told any more. Once, at its very end.
    @usableFromInline func dropReferences() {
        heldChain?.release()
        heldContext?.release()
    }

    /// Moved out, with none left behind.
    @usableFromInline mutating func take() -> Exchange {
        let taken = self
        self = Exchange()
        return taken
    }

    /// What was written of the answer must not look whole.
    mutating func cutOff(on connection: inout Connection) {
        progress = .ended
        end = .cutOff
        connection.close(.aborting)
    }

    /// Nothing comes behind this answer.
    mutating func endConnection() {
        keepsAlive = false
    }

    /// Whether what is written of a body is sent.
    var sendsBody: Bool { framing != .noBody }

    mutating func writeStatus(_ status: HTTPStatus, on connection: inout Connection) {
        self.status = status.code
        if status.code == 200 {
            connection.output.append("HTTP/1.1 200 OK\r\n")
        } else {
            Self.writeStatusLine(status, on: &connection)
            if status.forbidsBody { framing = .noBody }
            forbidsLength = status.forbidsBody
        }
        connection.clock.appendText(to: &connection.output) { seconds, field in
            field.append("Date: ")
            HTTPDate.append(unixSeconds: seconds, to: &field)
            field.append("\r\n")
        }
    }

    static func writeStatusLine(_ status: HTTPStatus, on connection: inout Connection) {
        connection.write("HTTP/1.1 ")
        connection.output.append(decimal: Int(status.code))
        connection.write(" ")
        connection.write(status.reason)
        connection.write("\r\n")
    }

    /// Writes what frames a body of `length`, nil if that is not known, and ends the fields (RFC 9112 section 6).
    mutating func endFields(length: Int?, on connection: inout Connection) {
        if let length {
            remaining = length
            if !forbidsLength {
                connection.write("Content-Length: ")
                connection.output.append(decimal: length)
                connection.write("\r\n")
            }
        } else if minorVersion == 0 {
            if sendsBody { framing = .untilClose }
            keepsAlive = false
        } else {
            if !forbidsLength { connection.write("Transfer-Encoding: chunked\r\n") }
            if sendsBody { framing = .chunked }
        }
        if connection.isStopping || owesBody { keepsAlive = false }
        if !keepsAlive {
            connection.write("Connection: close\r\n\r\n")
        } else if minorVersion == 0 {
            connection.write("Connection: keep-alive\r\n\r\n")
        } else {
            connection.write("\r\n")
        }
    }

    mutating func writeBody(_ bytes: RawSpan, on connection: inout Connection) {
        switch framing {
        case .noBody: return
        case .untilClose: connection.write(bytes)
        case .length:
            precondition(bytes.byteCount <= remaining, "more of a body than its Content-Length")
            remaining -= bytes.byteCount
            connection.write(bytes)
        case .chunked:
            // An empty chunk would end the body.
            if bytes.byteCount == 0 { return }
            appendHex(bytes.byteCount, to: &connection.output)
            connection.write("\r\n")
            connection.write(bytes)
            connection.write("\r\n")
        }
        bytesWritten += bytes.byteCount
    }

    mutating func writeBody(_ file: OpenFile, from offset: Int, count: Int, on connection: inout Connection) {
        if framing == .noBody { return }
        precondition(framing == .length && count <= remaining, "more of a body than its Content-Length")
        remaining -= count
        bytesWritten += count
        connection.write(file, from: offset, count: count)
    }

    /// Whether trailer fields can be sent.
    var takesTrailers: Bool { framing == .chunked }

    /// Ends the body; behind the chunked coding the trailer section's fields and an empty line are to follow.
    mutating func endBody(on connection: inout Connection) {
        if framing == .chunked { connection.write("0\r\n") }
        precondition(framing != .length || remaining == 0, "less of a body than its Content-Length")
    }
}

private func appendHex(_ value: Int, to output: inout ByteQueue) {
    var shift = (Int.bitWidth - value.leadingZeroBitCount + 3) / 4 * 4
    while shift > 0 {
        shift -= 4
        let digit = UInt8(truncatingIfNeeded: (value >> shift) & 15)
        output.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
}
