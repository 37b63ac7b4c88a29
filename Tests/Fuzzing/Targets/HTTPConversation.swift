import HTTPTypes
import ReactorHTTP
import ReactorTesting
import ReactorWire

/// What a server said to `input` that arrived in one way: everything that it wrote, and how the connection ended.
struct HTTPConversation: Equatable {
    enum Feeding: CaseIterable { case whole, byteByByte, randomly }

    var output: String
    var isOpen: Bool

    init(_ input: [UInt8], _ feeding: Feeding, streamed: Bool) {
        let driver = TestDriver(HTTPServerHandler(application: Describer(streams: streamed)))
        // Follows from the input, so that what was found is found again.
        var generator = SeededGenerator(seed: input.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 })
        var rest = input[...]
        while !rest.isEmpty {
            let count =
                switch feeding {
                case .whole: rest.count
                case .byteByByte: 1
                case .randomly: Int.random(in: 1...min(rest.count, 40), using: &generator)
                }
            driver.receive(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        // Whether the word to send a body is given depends on whether the body is there (RFC 9110 section 10.1.1).
        output = Self.without("HTTP/1.1 100 Continue\r\n\r\n", in: driver.takeOutput())
        isOpen = driver.wantsInput
    }

    /// Tells the same of `input` however it arrives, and however its bodies are taken.
    static func checkAgreement(on input: [UInt8]) {
        let expected = HTTPConversation(input, .whole, streamed: false)
        for feeding in Feeding.allCases {
            for streamed in [false, true] where feeding != .whole || streamed {
                expectEqual(HTTPConversation(input, feeding, streamed: streamed), expected, "\(feeding), streamed: \(streamed)")
            }
        }
    }

    private static func without(_ word: String, in text: String) -> String {
        let (bytes, word) = (Array(text.utf8), Array(word.utf8))
        var kept: [UInt8] = []
        var offset = 0
        while offset < bytes.count {
            if bytes[offset...].starts(with: word) { offset += word.count } else { kept.append(bytes[offset]); offset += 1 }
        }
        return String(decoding: kept, as: UTF8.self)
    }
}

/// Answers with all that it was told of a request.
private struct Describer: HTTPApplication {
    private let streams: Bool
    private var hasBodyToCome = false
    private var text = ""

    init(streams: Bool) { self.streams = streams }

    mutating func delivery(of request: borrowing RequestView) -> BodyDelivery {
        hasBodyToCome = streams
        return streams ? .streamed() : .whole()
    }

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        text = "\(request.methodName.bytes) \(request.path.bytes) \(request.query?.bytes ?? []) \(request.authority?.bytes ?? [])\n"
        for index in 0..<request.fieldCount { text += "\(request.fieldName(index).bytes): \(request.fieldValue(index).bytes)\n" }
        take(request.body)
        if !hasBodyToCome { send(&response) }
        hasBodyToCome = false
    }

    mutating func received(_ body: RawSpan, with response: inout ResponseWriter) { take(body) }

    mutating func bodyEnded(trailers: HTTPFields, with response: inout ResponseWriter) { send(&response) }

    private mutating func take(_ body: RawSpan) { for index in 0..<body.byteCount { text += " \(body[index])" } }

    private func send(_ response: inout ResponseWriter) {
        response.send(.ok, contentType: "text/plain", Array(text.utf8).span.bytes)
    }
}
