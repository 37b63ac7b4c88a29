/// A TCP or UDP port, by its number or by the name of the service that is usually there.
public struct ServicePort: Hashable, Sendable, ExpressibleByIntegerLiteral {
    public enum Transport: String, Sendable { case tcp, udp }

    public let number: UInt16

    public init(_ number: UInt16) { self.number = number }
    public init(integerLiteral number: UInt16) { self.number = number }

    /// Reads `25` or `smtp`: a name of `/etc/services`, which is read once; where there is no such file, one of the few
    /// in ``ServiceTable/builtIn``. Nothing but the file is asked (no NSS).
    ///
    /// - Throws: ``UnknownServiceError``.
    public init(_ text: String, transport: Transport = .tcp) throws(UnknownServiceError) {
        try self.init(text, transport: transport, in: .ofThisMachine)
    }

    package init(_ text: String, transport: Transport, in table: ServiceTable) throws(UnknownServiceError) {
        let isNumber = !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard let number = isNumber ? UInt16(text) : table.port(of: text, transport) else {
            throw UnknownServiceError(text: text, transport: transport)
        }
        self.number = number
    }
}

/// The text is neither a port's number nor the name of a service.
public struct UnknownServiceError: Error, Hashable, CustomStringConvertible, Sendable {
    public let text: String
    public let transport: ServicePort.Transport

    public var description: String {
        "'\(printable(text))' is no \(transport.rawValue.uppercased()) port: write a number up to 65535, or a service such as https"
    }
}
