import ReactorWire

extension ProxyHeader {
    /// A typed value behind the addresses (section 2.2).
    public struct TLV: Equatable, Sendable {
        /// What the value is; unassigned numbers are kept as they are.
        public struct Kind: RawRepresentable, Hashable, Sendable {
            public let rawValue: UInt8
            public init(rawValue: UInt8) { self.rawValue = rawValue }

            public static let alpn = Kind(rawValue: 0x01)
            public static let authority = Kind(rawValue: 0x02)
            /// The header's checksum: verified when read, computed when written, whatever the value given.
            public static let crc32c = Kind(rawValue: 0x03)
            /// Padding.
            public static let noop = Kind(rawValue: 0x04)
            public static let uniqueID = Kind(rawValue: 0x05)
            public static let ssl = Kind(rawValue: 0x20)
            public static let sslVersion = Kind(rawValue: 0x21)
            public static let sslCommonName = Kind(rawValue: 0x22)
            public static let sslCipher = Kind(rawValue: 0x23)
            public static let sslSignatureAlgorithm = Kind(rawValue: 0x24)
            public static let sslKeyAlgorithm = Kind(rawValue: 0x25)
            public static let networkNamespace = Kind(rawValue: 0x30)
        }

        public var kind: Kind
        public var value: [UInt8]

        public init(_ kind: Kind, _ value: [UInt8]) {
            self.kind = kind
            self.value = value
        }

        public init(_ kind: Kind, _ text: String) { self.init(kind, Array(text.utf8)) }

        /// Asks for a checksum when the header is written.
        public static let checksum = TLV(.crc32c, [0, 0, 0, 0])

        /// The value as text, if it is UTF-8.
        public var text: String? { String(validating: value, as: UTF8.self) }
    }

    /// The protocol that ALPN chose on the client's connection.
    public var alpn: [UInt8]? { tlvs.first(.alpn)?.value }
    /// The host name that the client asked for, by TLS's SNI for one.
    public var authority: String? { tlvs.first(.authority)?.text }
    /// What the proxy calls the connection: up to 128 bytes.
    public var uniqueID: [UInt8]? { tlvs.first(.uniqueID)?.value }
    /// The name of the network namespace that the connection came from.
    public var networkNamespace: String? { tlvs.first(.networkNamespace)?.text }
    /// How the client's connection was encrypted; nil if the proxy does not say.
    public var ssl: SSL? {
        guard let value = tlvs.first(.ssl)?.value else { return nil }
        return SSL(parsing: value.span.bytes)
    }

    /// What the proxy knows of TLS on the client's connection (section 2.2.6).
    public struct SSL: Equatable, Sendable {
        public struct Client: OptionSet, Sendable {
            public let rawValue: UInt8
            public init(rawValue: UInt8) { self.rawValue = rawValue }
            /// The client connected over TLS.
            public static let tls = Client(rawValue: 0x01)
            /// It gave a certificate on this connection.
            public static let certificateOnConnection = Client(rawValue: 0x02)
            /// It gave a certificate at least once in the session.
            public static let certificateInSession = Client(rawValue: 0x04)
        }

        public var client: Client
        /// 0 if the client gave a certificate and it was verified.
        public var verify: UInt32
        public var tlvs: [TLV]

        public init(client: Client, verify: UInt32, tlvs: [TLV] = []) {
            self.client = client
            self.verify = verify
            self.tlvs = tlvs
        }

        init?(parsing value: RawSpan) {
            guard let client = value.integer(at: 0, as: UInt8.self), let verify = value.integer(at: 1, as: UInt32.self),
                let tlvs = try? TLV.list(in: value, from: 5)
            else { return nil }
            self.init(client: Client(rawValue: client), verify: verify, tlvs: tlvs)
        }

        /// Such as `TLSv1.3`.
        public var version: String? { tlvs.first(.sslVersion)?.text }
        /// The common name in the client's certificate.
        public var commonName: String? { tlvs.first(.sslCommonName)?.text }
        public var cipher: String? { tlvs.first(.sslCipher)?.text }
        public var signatureAlgorithm: String? { tlvs.first(.sslSignatureAlgorithm)?.text }
        public var keyAlgorithm: String? { tlvs.first(.sslKeyAlgorithm)?.text }
    }
}

extension ProxyHeader.TLV {
    /// The SSL TLV.
    ///
    /// - Throws: ``ProxyHeaderError`` if one of its own TLVs is too long.
    public static func ssl(_ ssl: ProxyHeader.SSL) throws(ProxyHeaderError) -> ProxyHeader.TLV {
        var value = ByteQueue()
        value.append(ssl.client.rawValue)
        value.append(integer: ssl.verify)
        for tlv in ssl.tlvs { try tlv.write(to: &value) }
        return ProxyHeader.TLV(.ssl, value.bytes.array)
    }

    /// A kind, a length of two bytes, the value.
    func write(to output: inout ByteQueue) throws(ProxyHeaderError) {
        guard let length = UInt16(exactly: value.count) else { throw .tooLong }
        output.append(kind.rawValue)
        output.append(integer: length)
        output.append(value)
    }

    static func list(in bytes: RawSpan, from start: Int) throws(ProxyViolation) -> [ProxyHeader.TLV] {
        var tlvs: [ProxyHeader.TLV] = []
        var offset = start
        while offset < bytes.byteCount {
            guard let kind = bytes.integer(at: offset, as: UInt8.self),
                let length = bytes.integer(at: offset + 1, as: UInt16.self), bytes.byteCount - offset - 3 >= Int(length)
            else { throw .truncatedTLV }
            let value = offset + 3..<offset + 3 + Int(length)
            tlvs.append(ProxyHeader.TLV(Kind(rawValue: kind), bytes.slice(value).array))
            offset = value.upperBound
        }
        return tlvs
    }

    /// What the specification says of the value's form.
    var isWellFormed: Bool {
        switch kind {
        case .crc32c: value.count == 4
        case .uniqueID: value.count <= 128
        case .authority, .networkNamespace: text != nil
        case .ssl: ProxyHeader.SSL(parsing: value.span.bytes) != nil
        default: true
        }
    }
}

extension [ProxyHeader.TLV] {
    func first(_ kind: ProxyHeader.TLV.Kind) -> ProxyHeader.TLV? { first { $0.kind == kind } }
}
