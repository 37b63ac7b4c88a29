import ConnectionHandling
public import ReactorHTTP
public import ReactorWire

/// An event as browsers' `EventSource` receives them (HTML Standard, section 9.2).
public struct ServerSentEvent: Equatable, Sendable {
    /// Which listeners it is for; nil: those for `message`.
    public var event: String?
    /// Any text; each of its lines is sent as one, and line ends arrive as LF.
    public var data: String
    /// What the browser sends as `Last-Event-ID` when it connects again.
    public var id: String?
    /// How long the browser waits before it connects again.
    public var retry: Duration?

    public init(_ data: String, event: String? = nil, id: String? = nil, retry: Duration? = nil) {
        self.data = data
        self.event = event
        self.id = id
        self.retry = retry
    }

    /// Appends the event as it is sent. Line ends and NULs in ``event`` and ``id``, which would end them, are left out.
    public func append(to output: inout ByteQueue) {
        if let event { Self.append("event: ", event, to: &output) }
        if let id { Self.append("id: ", id, to: &output) }
        if let retry {
            output.append("retry: ")
            output.append(decimal: Int(clamping: retry.wholeNanoseconds / 1_000_000))
            output.append("\n")
        }
        Self.appendLines("data: ", data, to: &output)
        output.append("\n")
    }

    private static func append(_ name: StaticString, _ value: String, to output: inout ByteQueue) {
        output.append(name)
        output.append(value.utf8.filter { $0 != 0x0A && $0 != 0x0D && $0 != 0 })
        output.append("\n")
    }

    /// Appends each line of `text` with `name` in front of it. Lines end in CRLF, LF or CR, as in a stream of events.
    static func appendLines(_ name: StaticString, _ text: String, to output: inout ByteQueue) {
        output.append(name)
        var previous: UInt8 = 0
        for byte in text.utf8 {
            if byte == 0x0A, previous == 0x0D {
                // The second half of a CRLF.
            } else if byte == 0x0A || byte == 0x0D {
                output.append("\n")
                output.append(name)
            } else {
                output.append(byte)
            }
            previous = byte
        }
        output.append("\n")
    }

    /// The event as it is sent, for many connections to share.
    var shared: SharedBytes {
        var output = ByteQueue()
        append(to: &output)
        return SharedBytes(copying: output.bytes)
    }
}

extension ResponseWriter {
    /// Begins a stream of events. Then ``send(_:)-(ServerSentEvent)`` as often as needed, and `end()`.
    public mutating func startEvents() {
        begin(.ok)
        field("Content-Type", "text/event-stream")
        field("Cache-Control", "no-store")
        // nginx in front would otherwise keep events back until it has a buffer full.
        field("X-Accel-Buffering", "no")
        startBody(length: nil)
    }

    /// Sends an event. Stop while ``isBackedUp``, and go on at `drained`.
    public mutating func send(_ event: ServerSentEvent) {
        var output = ByteQueue()
        event.append(to: &output)
        write(output.bytes)
    }

    /// Sends a line that browsers pass over: it keeps proxies from closing a silent connection, and finds out whether the peer
    /// is still there.
    public mutating func sendComment(_ text: String = "") {
        var output = ByteQueue()
        ServerSentEvent.appendLines(": ", text, to: &output)
        output.append("\n")
        write(output.bytes)
    }
}

extension RequestView {
    /// The id of the last event that the browser received before it connected again; nil if this is its first connection, or
    /// the id has more than 256 bytes.
    public var lastEventID: String? {
        guard let id = field("last-event-id"), id.byteCount > 0, id.byteCount <= 256 else { return nil }
        return id.text
    }
}

extension BodyWriter {
    /// Sends an event, in a body of the type `text/event-stream`. Returns when there is room for more.
    ///
    /// - Throws: `CancellationError` if the client is gone.
    public mutating func send(_ event: ServerSentEvent) async throws {
        var output = ByteQueue()
        event.append(to: &output)
        try await write(output.bytes.array)
    }
}
