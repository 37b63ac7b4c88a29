import ConnectionHandling

/// The first bytes of a peer, kept for as long as the handshake lasts: they tell a peer that speaks TLS badly from one that
/// speaks something else.
struct Opening {
    private var bytes: UInt64 = 0
    private var count = 0

    mutating func note(_ lent: UnsafeRawBufferPointer) {
        for byte in lent {
            if count == 5 { return }
            bytes = bytes << 8 | UInt64(byte)
            count += 1
        }
    }

    /// What the failure is if these are no TLS record's first bytes, nor those of an SSL 2 ClientHello.
    var kindOfStranger: TLSFailure.Kind? {
        guard count == 5 else { return nil }
        let type = bytes >> 32 & 0xff
        let isRecord = (20...24).contains(type) && bytes >> 24 & 0xff == 3
        let isSSL2 = type & 0x80 != 0 && bytes >> 16 & 0xff == 1
        if isRecord || isSSL2 { return nil }
        return Self.methods.contains(bytes) ? .plainHTTP : .notTLS
    }

    /// The first five characters of a request.
    private static let methods: Set<UInt64> = Set(
        ["GET /", "GET h", "HEAD ", "POST ", "PUT /", "DELET", "OPTIO", "PATCH", "TRACE", "CONNE", "PRI *"].map { text in
            text.utf8.reduce(0) { $0 << 8 | UInt64($1) }
        })
}
