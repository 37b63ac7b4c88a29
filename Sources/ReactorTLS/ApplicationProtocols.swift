import COpenSSL
import Glibc

/// The protocols of ALPN (RFC 7301), in order of preference.
final class ApplicationProtocols: Sendable {
    /// As on the wire: each behind a byte with its length.
    private let encoded: [UInt8]
    private let names: [[UInt8]]

    init(_ names: [String]) throws(TLSConfigurationError) {
        self.names = names.map { Array($0.utf8) }
        var encoded: [UInt8] = []
        for name in self.names {
            guard let length = UInt8(exactly: name.count), length > 0 else {
                throw TLSConfigurationError(.invalidValue, "application protocol", "has a name of \(name.count) bytes, not 1 to 255")
            }
            encoded.append(length)
            encoded += name
        }
        guard encoded.count <= 65_535 else {
            throw TLSConfigurationError(.invalidValue, "application protocols", "are more than TLS can offer")
        }
        self.encoded = encoded
    }

    /// A client's part.
    func offer(in context: SSLContext) throws(TLSConfigurationError) {
        if encoded.isEmpty { return }
        if SSL_CTX_set_alpn_protos(context.pointer, encoded, UInt32(encoded.count)) != 0 {
            throw .library("application protocols", "are refused")
        }
    }

    /// A server's part. `self` must live as long as the context's sessions.
    func select(in context: SSLContext) {
        if encoded.isEmpty { return }
        SSL_CTX_set_alpn_select_cb(
            context.pointer,
            { _, chosen, length, offered, count, own in
                guard let own, let offered, let chosen, let length else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                let list = UnsafeBufferPointer(start: offered, count: Int(count))
                let protocols = Unmanaged<ApplicationProtocols>.fromOpaque(own).takeUnretainedValue()
                guard let range = protocols.choose(from: list) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                chosen.pointee = offered + range.lowerBound
                length.pointee = UInt8(range.count)
                return SSL_TLSEXT_ERR_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Where the first of our protocols stands in a client's list.
    private func choose(from list: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        for name in names {
            var index = 0
            while index < list.count {
                let range = index + 1..<index + 1 + Int(list[index])
                if range.upperBound > list.count { break }
                if list[range].elementsEqual(name) { return range }
                index = range.upperBound
            }
        }
        return nil
    }
}
