import ReactorWeb
import ReactorWire

/// `/bytes?n=`: so many bytes out of memory, whole: lines of 64 bytes, each with its number, no two the same.
struct Lines: Sendable {
    /// A mebibyte: what is taken from memory at once, and copied for a slow reader.
    static let most = 1 << 20

    private let bytes: [UInt8]

    init() {
        let filling = String(repeating: ".", count: 47) + "\n"
        var text = ""
        text.reserveCapacity(Self.most)
        // The leading 1 gives all numbers sixteen digits.
        for line in 0..<Self.most / 64 { text += String(line + (1 << 60), radix: 16) + filling }
        bytes = Array(text.utf8)
    }

    func send(_ request: borrowing RequestView, _ response: inout ResponseWriter) {
        guard let count = request.queryNumber("n", 0...Self.most, default: 65_536) else {
            return response.refuse("n is a number from 0 to \(Self.most)")
        }
        response.send(.ok, contentType: "text/plain", bytes.span.bytes.slice(0..<count))
    }
}
