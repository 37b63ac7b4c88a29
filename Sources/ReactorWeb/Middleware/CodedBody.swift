import HTTPTypes
import ReactorContentCodings
import ReactorHTTP
import ReactorWire

/// The coding of a request's body, by its Content-Encoding fields.
enum RequestCoding {
    case none
    case one(ContentCoding)
    /// None that is known, or several: codings in codings are what bombs are made of.
    case other

    init(_ request: borrowing RequestView) {
        self = .none
        for index in 0..<request.fieldCount where request.fieldName(index).equalsIgnoringCase("content-encoding") {
            let field = request.fieldValue(index)
            var offset = 0
            while offset <= field.byteCount {
                let end = field.firstIndex(of: UInt8(ascii: ","), from: offset) ?? field.byteCount
                add(field.slice(offset..<end).trimmed)
                offset = end + 1
            }
        }
    }

    private mutating func add(_ name: RawSpan) {
        if name.byteCount == 0 || name.equalsIgnoringCase("identity") { return }
        if case .none = self, let coding = ContentCoding(name: name) {
            self = .one(coding)
        } else {
            self = .other
        }
    }
}

/// A request's body while it is decoded. By reference, so that other requests hold no room for it.
final class CodedBody {
    enum Use { case refused, whole, streamed }

    let use: Use
    private let coding: ContentCoding
    private let limits: ContentDecodingLimits
    private var decoding: Decoding?
    /// As they came, held back by the application.
    var waiting = ByteQueue()
    /// The body has ended, and the application has yet to hear of it.
    var trailers: HTTPFields?

    private final class Decoding {
        var decoder: ContentDecoder
        init(_ decoder: consuming ContentDecoder) { self.decoder = decoder }
    }

    init(_ use: Use, _ coding: ContentCoding = .gzip, _ limits: ContentDecodingLimits = ContentDecodingLimits()) {
        self.use = use
        self.coding = coding
        self.limits = limits
    }

    /// There may be more to decode of what was consumed.
    var hasMore: Bool { decoding?.decoder.hasMore ?? false }

    /// The application has not got all that has come.
    var owesInput: Bool { hasMore || !waiting.isEmpty }

    func decode(_ bytes: RawSpan, into output: inout ByteQueue, atMost: Int) throws(ContentDecodingError) -> Int {
        try needDecoding().decoder.decode(bytes, into: &output, atMost: atMost)
    }

    /// A body of no bytes is one of no bytes, whatever its coding would make of that.
    func finish() throws(ContentDecodingError) {
        if let decoding { try decoding.decoder.finish() }
    }

    func decodeWhole(_ bytes: RawSpan, into output: inout ByteQueue) throws(ContentDecodingError) {
        if bytes.byteCount == 0 { return }
        _ = try decode(bytes, into: &output, atMost: .max)
        try finish()
        decoding = nil
    }

    private func needDecoding() throws(ContentDecodingError) -> Decoding {
        if let decoding { return decoding }
        do {
            let made = Decoding(try ContentDecoder(coding, limits: limits))
            decoding = made
            return made
        } catch {
            throw .failure(error)
        }
    }
}
