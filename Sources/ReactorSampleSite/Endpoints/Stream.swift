import ReactorWeb
import ReactorWire

/// `/stream?bytes=`: so many bytes, made as they are taken.
struct Stream: HTTPApplication {
    /// A gibibyte: enough to watch, and an end.
    static let most = 1 << 30

    private var remaining = 0

    /// Lines of 64 bytes, which a terminal shows.
    private static let block = [UInt8](
        String(repeating: "The reactor writes only as fast as its reader reads: 0123456789\n", count: 256).utf8)

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        guard let bytes = request.queryNumber("bytes", 0...Self.most, default: 1_000_000) else {
            return response.refuse("bytes is a number from 0 to \(Self.most)")
        }
        remaining = bytes
        response.begin(.ok)
        response.field("Content-Type", "text/plain")
        response.field("Cache-Control", "no-store")
        response.startBody(length: bytes)
        write(&response)
    }

    mutating func drained(_ response: inout ResponseWriter) { write(&response) }

    private mutating func write(_ response: inout ResponseWriter) {
        while remaining > 0 && !response.isBackedUp {
            let count = min(remaining, Self.block.count)
            response.write(Self.block.span.bytes.slice(0..<count))
            remaining -= count
        }
        if remaining == 0 { response.end() }
    }
}
