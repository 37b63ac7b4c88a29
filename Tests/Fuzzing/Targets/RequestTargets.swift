import ReactorHTTP
import ReactorWire

extension FuzzTarget {
    /// What a peer may send to a server, from its first byte. However it arrives, it is answered alike.
    static let requests = FuzzTarget(name: "requests") { HTTPConversation.checkAgreement(on: $0.bytes) }

    /// A body in the chunked coding (RFC 9112 section 7.1), and whatever follows it.
    static let chunked = FuzzTarget(name: "chunked") { body in
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        HTTPConversation.checkAgreement(on: Array(head.utf8) + body.bytes)
    }
}
