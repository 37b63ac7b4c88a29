public import HTTPTypes
public import ReactorContentCodings
public import ReactorHTTP
import ReactorWire

/// Decodes the bodies of requests before `Application` sees them, whole and streamed ones.
///
/// A body in a coding that is not known, or in more than one, is refused with 415 and an Accept-Encoding field
/// (RFC 9110 section 15.5.16), one that is not in its format with 400, one past the limits with 413. The limit of the
/// application's ``BodyDelivery`` counts for the body as it came and as it was decoded.
///
/// The fields are as they were sent: Content-Encoding and Content-Length speak of the body as it came.
public struct RequestDecompression<Application: HTTPApplication & ~Copyable>: HTTPApplication, ~Copyable {
    private var application: Application
    private let limits: ContentDecodingLimits
    /// The body of this exchange has a coding.
    private var body: CodedBody?

    /// Decoded bytes of a body whose delivery names no limit: 1 MiB, as ``HTTPLimits/body``.
    public static var defaultLimits: ContentDecodingLimits {
        var limits = ContentDecodingLimits()
        limits.output = 1024 * 1024
        return limits
    }

    public init(_ application: consuming Application, limits: ContentDecodingLimits = Self.defaultLimits) {
        self.application = application
        self.limits = limits
    }

    public mutating func delivery(of request: borrowing RequestView) -> BodyDelivery {
        let coding = RequestCoding(request)
        if case .none = coding { return application.delivery(of: request) }
        // What is refused is not waited for.
        guard case .one(let one) = coding else {
            body = CodedBody(.refused)
            return .streamed()
        }
        let delivery = application.delivery(of: request)
        var limits = limits
        if let limit = delivery.limit { limits.output = limit }
        body = CodedBody(delivery.isStreamed ? .streamed : .whole, one, limits)
        return delivery
    }

    public mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        guard let body else { return application.respond(to: request, with: &response) }
        switch body.use {
        case .refused:
            response.begin(.unsupportedMediaType)
            response.field("Accept-Encoding", "gzip, deflate, br, zstd")
            response.end()
        case .whole:
            var bytes = ByteQueue()
            bytes.append(request.headBytes)
            do {
                try body.decodeWhole(request.body, into: &bytes)
            } catch {
                return Self.refuse(error, &response)
            }
            application.respond(to: request.replacingBody(in: bytes.bytes), with: &response)
        case .streamed:
            application.respond(to: request, with: &response)
        }
    }

    public mutating func received(_ bytes: RawSpan, with response: inout ResponseWriter) {
        guard let body else { return application.received(bytes, with: &response) }
        if body.owesInput {
            body.waiting.append(bytes)
            return deliverWaiting(&response)
        }
        let used = deliver(bytes, &response)
        if used < bytes.byteCount { body.waiting.append(bytes.slice(used..<bytes.byteCount)) }
    }

    public mutating func bodyEnded(trailers: HTTPFields, with response: inout ResponseWriter) {
        guard let body else { return application.bodyEnded(trailers: trailers, with: &response) }
        body.trailers = trailers
        deliverWaiting(&response)
    }

    public mutating func answered(_ response: inout ResponseWriter) {
        application.answered(&response)
        deliverWaiting(&response)
    }

    public mutating func drained(_ response: inout ResponseWriter) {
        application.drained(&response)
        deliverWaiting(&response)
    }

    public mutating func refused(_ status: HTTPStatus, with response: inout ResponseWriter) {
        application.refused(status, with: &response)
    }

    public mutating func exchangeEnded(_ summary: borrowing ExchangeSummary) {
        body = nil
        application.exchangeEnded(summary)
    }

    // MARK: Streamed bodies

    /// Decoded bytes that the application gets at a time.
    private static var piece: Int { 64 * 1024 }

    /// Lends the application what `bytes` hold, until it holds the body back.
    ///
    /// - Returns: how many bytes were consumed.
    private mutating func deliver(_ bytes: RawSpan, _ response: inout ResponseWriter) -> Int {
        guard let body else { return bytes.byteCount }
        var used = 0
        var piece = ByteQueue()
        while used < bytes.byteCount || body.hasMore {
            if response.hasEnded { return bytes.byteCount }
            if response.isAwaiting || response.pausesBody || response.isBackedUp { return used }
            piece.removeAll(keepingCapacity: true)
            do {
                used += try body.decode(bytes.slice(used..<bytes.byteCount), into: &piece, atMost: Self.piece)
            } catch {
                Self.refuse(error, &response)
                return bytes.byteCount
            }
            if !piece.isEmpty { application.received(piece.bytes, with: &response) }
        }
        return used
    }

    /// What the application has held back, and the end of the body if that has come.
    private mutating func deliverWaiting(_ response: inout ResponseWriter) {
        guard let body, body.use == .streamed else { return }
        var waiting = ByteQueue()
        swap(&waiting, &body.waiting)
        let used = deliver(waiting.bytes, &response)
        if used < waiting.count { body.waiting.append(waiting.bytes.slice(used..<waiting.count)) }
        if response.hasEnded || body.owesInput || response.isAwaiting { return }
        guard let trailers = body.trailers else { return }
        body.trailers = nil
        do {
            try body.finish()
        } catch {
            return Self.refuse(error, &response)
        }
        application.bodyEnded(trailers: trailers, with: &response)
    }

    private static func refuse(_ error: ContentDecodingError, _ response: inout ResponseWriter) {
        // What has begun cannot be taken back, only cut off.
        if response.hasBegun { return response.abort() }
        switch error {
        case .violation(let violation): response.sendStatus(violation.isLimit ? .contentTooLarge : .badRequest)
        case .failure: response.sendStatus(.serviceUnavailable)
        }
    }
}
