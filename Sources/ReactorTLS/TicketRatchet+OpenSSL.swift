import COpenSSL

/// Fetched once: looking an algorithm up by its name takes longer than sealing a ticket with it.
private enum TicketAlgorithms {
    private static let cipherBits = UInt(bitPattern: EVP_CIPHER_fetch(nil, "AES-256-CBC", nil))
    private static let digestBits = UInt(bitPattern: EVP_MD_fetch(nil, "SHA256", nil))
    static var cipher: OpaquePointer? { OpaquePointer(bitPattern: cipherBits) }
    static var digest: OpaquePointer? { OpaquePointer(bitPattern: digestBits) }
}

extension TicketRatchet {
    /// Has the tickets of `context` sealed and opened by its ratchet; without one there are none.
    static func install(in context: SSLContext) {
        guard let tickets = context.tickets else {
            SSL_CTX_set_options(context.pointer, copenssl_no_ticket)
            SSL_CTX_set_num_tickets(context.pointer, 0)
            return
        }
        SSL_CTX_set_timeout(context.pointer, Int(tickets.lifetime))
        copenssl_set_ticket_callback(context.pointer) { ssl, name, iv, cipher, mac, isSealing in
            guard let tickets = SSLContext.of(ssl)?.tickets, let name, let iv else { return -1 }
            let place = UnsafeMutableRawPointer(name)
            if isSealing == 1 {
                guard RAND_bytes(iv, EVP_MAX_IV_LENGTH) == 1 else { return -1 }
                var key = tickets.currentKey()
                defer { key.wipe() }
                place.storeBytes(of: key.name, as: TicketKey.Name.self)
                return TicketRatchet.start(cipher, mac, &key, iv, isSealing) ? 1 : -1
            }
            // 0: a full handshake. 2: accepted, and replaced by a new one: an old key's, and any of TLS 1.3, whose clients
            // use a ticket once, so that nobody can tell by it that two connections are theirs (RFC 8446 appendix C.4).
            guard let found = tickets.key(named: place.loadUnaligned(as: TicketKey.Name.self)) else { return 0 }
            var key = found.key
            defer { key.wipe() }
            guard TicketRatchet.start(cipher, mac, &key, iv, isSealing) else { return -1 }
            return found.isCurrent && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2
        }
        limitSessions(in: context)
    }

    /// Each resumption brings a new ticket, so that without a limit a client would prove who it is once and never again
    /// (RFC 8446 section 4.6.1).
    private static func limitSessions(in context: SSLContext) {
        SSL_CTX_set_session_ticket_cb(
            context.pointer,
            { ssl, _ in
                guard let ssl, let tickets = SSLContext.of(ssl)?.tickets, let session = SSL_get_session(ssl) else { return 0 }
                // It goes along with the session, from ticket to ticket.
                if TicketRatchet.beginning(of: session) != nil { return 1 }
                var now = tickets.now
                return SSL_SESSION_set1_ticket_appdata(session, &now, MemoryLayout<Int64>.size)
            },
            { ssl, session, _, _, status, _ in
                guard status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW, let session,
                    let tickets = SSLContext.of(ssl)?.tickets, let beginning = TicketRatchet.beginning(of: session),
                    tickets.now - beginning <= tickets.lifetime, TicketRatchet.hasValidPeer(session)
                else { return SSL_TICKET_RETURN_IGNORE_RENEW }
                return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW
            }, nil)
    }

    /// When the session's full handshake was, by the clock of the ratchet.
    private static func beginning(of session: OpaquePointer) -> Int64? {
        var bytes: UnsafeMutableRawPointer?
        var count = 0
        guard SSL_SESSION_get0_ticket_appdata(session, &bytes, &count) == 1, count == MemoryLayout<Int64>.size else { return nil }
        return bytes?.loadUnaligned(as: Int64.self)
    }

    /// Not where the client's certificate has expired since.
    private static func hasValidPeer(_ session: OpaquePointer) -> Bool {
        guard let certificate = SSL_SESSION_get0_peer(session) else { return true }
        return X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0
    }

    /// AES-256-CBC, then HMAC-SHA256 over it, as RFC 5077 section 4 recommends: OpenSSL does both with the keys set here.
    private static func start(
        _ cipher: OpaquePointer?, _ mac: OpaquePointer?, _ key: inout TicketKey, _ iv: UnsafePointer<UInt8>, _ isSealing: Int32
    ) -> Bool {
        withUnsafeMutableBytes(of: &key.cipher) { secret in
            EVP_CipherInit_ex(
                cipher, TicketAlgorithms.cipher, nil, secret.baseAddress?.assumingMemoryBound(to: UInt8.self), iv, isSealing) == 1
        } && withUnsafeMutableBytes(of: &key.mac) { copenssl_mac_start(mac, $0.baseAddress, Int32($0.count), TicketAlgorithms.digest) == 1 }
    }
}
