import ReactorContentCodings
import ReactorHTTP
import ReactorWire

/// One answer on its way through a coding.
final class CompressionEncoder: ResponseBodyEncoder {
    private let settings: CompressionSettings
    private let wanted: ContentCoding?
    private var stream: Stream?
    private(set) var variesByEncoding = false
    /// There was no memory.
    private(set) var hasFailed = false

    private final class Stream {
        var encoder: ContentEncoder
        /// Each write is to reach the client at once.
        let flushes: Bool

        init(_ encoder: consuming ContentEncoder, flushes: Bool) {
            self.encoder = encoder
            self.flushes = flushes
        }
    }

    /// - Parameter wanted: by the client.
    init(_ settings: CompressionSettings, _ wanted: ContentCoding?) {
        self.settings = settings
        self.wanted = wanted
    }

    func coding(for answer: borrowing HeldAnswer) -> StaticString? {
        guard let type = answer.field("content-type"), isEncodable(answer), settings.isListed(type) else { return nil }
        variesByEncoding = true
        guard let wanted else { return nil }
        let isEventStream = type.byteCount >= 17 && type.slice(0..<17).equalsIgnoringCase("text/event-stream")
        let options = isEventStream ? settings.options.eventStreams : settings.options.encoder
        do {
            let encoder = try ContentEncoder(wanted, options: options, length: answer.length)
            stream = Stream(encoder, flushes: answer.length == nil)
            return wanted.name
        } catch {
            // Without memory the answer goes out as it is.
            return nil
        }
    }

    private func isEncodable(_ answer: borrowing HeldAnswer) -> Bool {
        if answer.status.code == 206 || answer.status.code < 200 { return false }
        if let length = answer.length, length < settings.options.shortest || length > settings.options.longest { return false }
        if answer.field("content-encoding") != nil || answer.field("content-range") != nil { return false }
        if let control = answer.field("cache-control"), Self.forbidsTransforming(control) { return false }
        return true
    }

    /// `no-transform` (RFC 9111 section 5.2.2.6).
    private static func forbidsTransforming(_ control: RawSpan) -> Bool {
        var offset = 0
        while let element = WeightedElement.next(in: control, from: &offset) {
            if control.slice(element.value).equalsIgnoringCase("no-transform") { return true }
        }
        return false
    }

    func encode(_ bytes: RawSpan, into output: inout ByteQueue) {
        guard let stream, !hasFailed else { return }
        do {
            try stream.encoder.encode(bytes, into: &output)
            if stream.flushes { try stream.encoder.flush(into: &output) }
        } catch {
            hasFailed = true
        }
    }

    func finish(into output: inout ByteQueue) {
        guard let stream, !hasFailed else { return }
        do { try stream.encoder.finish(into: &output) } catch { hasFailed = true }
        // Its memory is not to wait for the client to take the rest.
        self.stream = nil
    }
}
