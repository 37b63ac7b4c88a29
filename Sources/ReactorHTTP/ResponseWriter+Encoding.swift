import ConnectionHandling
import ReactorWire

/// What is done only for answers that may be encoded.
extension ResponseWriter {
    /// Is shown the answer once its fields are complete, which are held back until then; nil for none. Set it before the
    /// answer begins.
    package var encoder: (any ResponseBodyEncoder)? {
        get { exchange.context?.encoding?.encoder }
        set {
            precondition(exchange.progress == .open, "an answer has begun already")
            context.encoding = newValue.map { ResponseEncoding($0) }
            exchange.holdsFields = newValue != nil
        }
    }

    /// Keeps the fields.
    var held: ResponseEncoding? { exchange.holdsFields ? exchange.context?.encoding : nil }

    /// Takes the body.
    var encoding: ResponseEncoding? {
        guard let encoding = exchange.context?.encoding, encoding.isEncoding else { return nil }
        return encoding
    }

    /// - Returns: whether the body is encoded.
    mutating func releaseFields(length: Int?) -> Bool {
        guard let held else { return false }
        exchange.holdsFields = false
        held.releaseFields(status: HTTPStatus(exchange.status), length: length, to: &connection.output)
        return held.isEncoding
    }

    /// Ends the answer with this as its whole body, encoded if that is wanted.
    mutating func endEncoded(_ body: RawSpan) {
        guard releaseFields(length: body.byteCount), let encoding else { return end(body) }
        // To HEAD, the length would have to be found out for nothing.
        if !exchange.sendsBody { return endWhole(length: nil) }
        guard let encoded = encoding.encoded(body, isLast: true) else { return abort() }
        endWhole(length: encoded.count)
        writeWhole(encoded.bytes)
    }

    mutating func writeEncoded(_ bytes: RawSpan, _ encoding: ResponseEncoding) {
        if exchange.sendsBody { writeOrAbort(encoding.encoded(bytes, isLast: false)) }
    }

    private mutating func writeOrAbort(_ encoded: consuming ByteQueue?) {
        guard let encoded else { return abort() }
        exchange.writeBody(encoded.bytes, on: &connection)
    }

    mutating func writeEncoded(_ file: OpenFile, _ range: Range<Int>, _ encoding: ResponseEncoding) {
        guard exchange.sendsBody else { return }
        var encoded = ByteQueue()
        let isRead = file.read(range) { encoding.encoder.encode($0, into: &encoded) }
        if !isRead || encoding.encoder.hasFailed { return abort() }
        exchange.writeBody(encoded.bytes, on: &connection)
    }

    mutating func finishEncoding() {
        guard exchange.sendsBody, let encoding else { return }
        writeOrAbort(encoding.encoded(RawSpan(), isLast: true))
    }
}
