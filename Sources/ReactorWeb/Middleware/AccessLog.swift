import ConnectionHandling
public import ReactorHTTP
import ReactorWire

/// Writes a line for each exchange, when it is over.
///
/// What a peer sent is escaped, so that it cannot forge a line. Times are in UTC. Put it in front of the other middleware: what
/// they answer themselves is then logged too. A request that was refused before it could be read has `-` for its parts.
public struct AccessLog: HTTPMiddleware {
    public enum Format: Sendable {
        /// The Common Log Format: `127.0.0.1 - ada [06/Nov/1994:08:49:37 +0000] "GET / HTTP/1.1" 200 13`.
        case common
        /// As `common`, with the Referer and User-Agent behind it, as nginx and Apache write it.
        case combined
        /// An object a line: `time`, `id` and `user` if there are some, `peer`, `method`, `target` and `version` of what could
        /// be read, `status`, `bytes`, `duration` in seconds, `end` as ``ReactorHTTP/ExchangeEnd``, and `referer` and `agent` if
        /// they were sent.
        case json
    }

    /// Of a request, what its line needs once it is gone.
    private final class Seen: Sendable {
        let peer: SocketAddress
        let unixSeconds: Int64
        let method: [UInt8]
        let target: [UInt8]
        /// Nil of a request that was refused.
        let minorVersion: UInt8?
        let referer: [UInt8]?
        let agent: [UInt8]?

        init(_ request: borrowing RequestView, peer: SocketAddress, unixSeconds: Int64, keepsOrigin: Bool) {
            self.peer = peer
            self.unixSeconds = unixSeconds
            method = request.methodName.array
            var target = request.path.array
            if let query = request.query {
                target.append(UInt8(ascii: "?"))
                target += query.array
            }
            self.target = target
            minorVersion = request.minorVersion
            referer = keepsOrigin ? request.field("referer")?.array : nil
            agent = keepsOrigin ? request.field("user-agent")?.array : nil
        }

        init(refusedFrom peer: SocketAddress, unixSeconds: Int64) {
            self.peer = peer
            self.unixSeconds = unixSeconds
            (method, target, minorVersion, referer, agent) = ([], [], nil, nil, nil)
        }
    }
    private enum SeenKey: ExchangeContextKey { typealias Value = Seen }

    private let sink: LogSink
    private let format: Format

    public init(to sink: LogSink, format: Format = .combined) {
        self.sink = sink
        self.format = format
    }

    public func received(_ request: borrowing RequestView, with response: inout ResponseWriter) {
        let seen = Seen(request, peer: response.peer, unixSeconds: response.unixSeconds, keepsOrigin: format != .common)
        response.context[SeenKey.self] = seen
    }

    public func refused(_ status: HTTPStatus, with response: inout ResponseWriter) {
        let seen = Seen(refusedFrom: response.peer, unixSeconds: response.unixSeconds)
        response.context[SeenKey.self] = seen
    }

    public func ended(_ summary: borrowing ExchangeSummary) {
        guard let context = summary.context, let seen = context[SeenKey.self] else { return }
        let user = context[AuthenticatedUser.self]
        let (status, bytes, end, duration) = (summary.status, summary.bytesWritten, summary.end, context.elapsed)
        sink.line(at: seen.unixSeconds) { line, times in
            switch format {
            case .common, .combined:
                Self.writeCommon(seen, user, status, bytes, &line, times)
                if format == .combined { Self.writeOrigin(seen, &line) }
            case .json:
                Self.writeJSON(seen, id: context[RequestID.Key.self], user, status, bytes, end, duration, &line, times)
            }
        }
    }

    // MARK: Common and combined

    private static func writeCommon(
        _ seen: Seen, _ user: String?, _ status: HTTPStatus?, _ bytes: Int, _ line: inout ByteQueue, _ times: borrowing LogTimes
    ) {
        line.append(logText: Array((seen.peer.isUnix ? "unix:" : seen.peer.unmapped.host).utf8))
        line.append(" - ")
        // A space would begin the next field.
        line.append(logText: user.map { $0.isEmpty ? [UInt8(ascii: "-")] : $0.utf8.map { $0 == 0x20 ? 0x5F : $0 } } ?? [UInt8(ascii: "-")])
        line.append(" [")
        line.append(times.common)
        line.append("] \"")
        if let version = seen.minorVersion {
            line.append(logText: seen.method)
            line.append(" ")
            line.append(logText: seen.target)
            line.append(version == 0 ? " HTTP/1.0\" " : " HTTP/1.1\" ")
        } else {
            line.append("-\" ")
        }
        if let status { line.append(decimal: Int(status.code)) } else { line.append("-") }
        line.append(" ")
        line.append(decimal: bytes)
    }

    private static func writeOrigin(_ seen: Seen, _ line: inout ByteQueue) {
        for value in [seen.referer, seen.agent] {
            line.append(" \"")
            line.append(logText: value ?? [UInt8(ascii: "-")])
            line.append("\"")
        }
    }

    // MARK: JSON

    private static func writeJSON(
        _ seen: Seen, id: String?, _ user: String?, _ status: HTTPStatus?, _ bytes: Int, _ end: ExchangeEnd, _ duration: Duration,
        _ line: inout ByteQueue, _ times: borrowing LogTimes
    ) {
        line.append("{\"time\":\"")
        line.append(times.standard)
        line.append("\"")
        if let id { member("id", Array(id.utf8), &line) }
        member("peer", Array(seen.peer.unmapped.host.utf8), &line)
        if let user { member("user", Array(user.utf8), &line) }
        if let version = seen.minorVersion {
            member("method", seen.method, &line)
            member("target", seen.target, &line)
            line.append(version == 0 ? ",\"version\":\"1.0\"" : ",\"version\":\"1.1\"")
        }
        line.append(",\"status\":")
        if let status { line.append(decimal: Int(status.code)) } else { line.append("null") }
        line.append(",\"bytes\":")
        line.append(decimal: bytes)
        line.append(",\"duration\":")
        appendSeconds(duration, &line)
        line.append(",\"end\":\"")
        line.append("\(end)")
        line.append("\"")
        if let referer = seen.referer { member("referer", referer, &line) }
        if let agent = seen.agent { member("agent", agent, &line) }
        line.append("}")
    }

    private static func member(_ name: StaticString, _ value: [UInt8], _ line: inout ByteQueue) {
        line.append(",\"")
        line.append(name)
        line.append("\":")
        line.append(jsonText: value)
    }

    /// With six digits behind the point.
    private static func appendSeconds(_ duration: Duration, _ line: inout ByteQueue) {
        let microseconds = duration.wholeNanoseconds / 1000
        line.append(decimal: Int(clamping: microseconds / 1_000_000))
        line.append(".")
        let digits = String(microseconds % 1_000_000)
        line.append(String(repeating: "0", count: 6 - digits.utf8.count))
        line.append(digits)
    }
}
