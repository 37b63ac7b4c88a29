public import ConnectionHandling
public import HTTPTypes
import ReactorWire

/// Leaving HTTP (RFC 9110 section 7.8).
extension ResponseWriter {
    /// Sends 101 and gives the connection to `handler`, whose events are all that come from here on. Bytes behind the request
    /// are kept for it. It is told first that it is connected.
    ///
    /// Only during ``HTTPApplication/respond(to:with:)``, and only what the client has asked for: by HTTP/1.1, with the protocol
    /// in an Upgrade field and `upgrade` in a Connection field, and with its body, if any, delivered whole. Otherwise nothing
    /// is done, and the request can be answered as if it had not asked.
    ///
    /// - Parameter lowercaseName: the protocol, such as `websocket`; must be written in lower case.
    /// - Parameter fields: what the protocol adds to the 101.
    /// - Returns: whether it was done.
    public mutating func upgrade<Handler: ConnectionHandler & ~Copyable>(
        to lowercaseName: StaticString, _ fields: HTTPFields = [:], handler: consuming Handler
    ) -> Bool {
        precondition(exchange.progress == .open, "an answer has begun already")
        guard isOffered(lowercaseName), !connection.isAwaiting else { return false }
        begin(HTTPStatus(101))
        field("Connection", "upgrade")
        field("Upgrade", lowercaseName)
        self.fields(fields)
        _ = releaseFields(length: nil)
        connection.write("\r\n")
        exchange.progress = .ended
        exchange.isUpgraded = true
        connection.handOver(to: handler)
        return true
    }

    private func isOffered(_ lowercaseName: StaticString) -> Bool {
        guard let head = lentHead, exchange.minorVersion >= 1, !exchange.isStreaming else { return false }
        let bytes = RawSpan(_unsafeBytes: head)
        return Self.lists(lowercaseName, in: "upgrade", of: bytes) && Self.lists("upgrade", in: "connection", of: bytes)
    }

    private static func lists(_ element: StaticString, in lowercaseName: StaticString, of head: RawSpan) -> Bool {
        var isListed = false
        forEachLine(of: head, named: lowercaseName) { field in
            forEachElement(of: field) { if $0.equalsIgnoringCase(element) { isListed = true } }
        }
        return isListed
    }
}
