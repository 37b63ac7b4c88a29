import ArgumentParser
import ConnectionHandling
import Foundation
import Logging
import ReactorTLS
import ServerArchitectures

/// The arguments of the servers that speak TLS.
struct TLSArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Speak TLS with this certificate: PEM, those that lead to its root behind it. May be repeated, each with its \
            --tls-key: clients get the one for the name that they ask for. SIGHUP reads the files anew.
            """, valueName: "file"))
    var tlsCert: [String] = []

    @Option(help: ArgumentHelp("The certificate's private key: PEM, not encrypted.", valueName: "file"))
    var tlsKey: [String] = []

    @Option(
        help: ArgumentHelp("Ask clients for a certificate that leads to one of these: PEM.", valueName: "file"))
    var tlsClientCa: String?

    @Option(
        help: ArgumentHelp(
            "The certificate's OCSP response, to send along: DER. As often as --tls-cert, or not at all.",
            valueName: "file"))
    var tlsOcsp: [String] = []

    @Flag(help: "Speak TLS with a certificate for localhost that is made now: to try it.")
    var tlsSelfSigned = false

    @Option(
        help: ArgumentHelp(
            "Append each connection's secrets to this file, as SSLKEYLOGFILE does for clients: to debug with Wireshark.",
            valueName: "file"))
    var tlsKeyLog: String?

    func validate() throws {
        guard tlsCert.count == tlsKey.count else {
            throw ValidationError("give a --tls-key for each --tls-cert: \(tlsCert.count) certificates, \(tlsKey.count) keys")
        }
        guard tlsOcsp.isEmpty || tlsOcsp.count == tlsCert.count else {
            throw ValidationError("give a --tls-ocsp for each --tls-cert, or none")
        }
        if tlsSelfSigned && !tlsCert.isEmpty { throw ValidationError("give --tls-cert or --tls-self-signed, not both") }
        if !isAsked && (tlsClientCa != nil || tlsKeyLog != nil) {
            throw ValidationError("--tls-client-ca and --tls-key-log need --tls-cert and --tls-key, or --tls-self-signed")
        }
    }

    private var isAsked: Bool { tlsSelfSigned || !tlsCert.isEmpty }

    /// What the server's connections share; nil if they are to be in plain.
    ///
    /// - Parameter protocols: the names of what is spoken inside (ALPN).
    func context(protocols: [String] = []) throws -> TLSServerContext? {
        if !isAsked { return nil }
        var identities = tlsCert.indices.map { index in
            TLSIdentity(
                certificateFile: tlsCert[index], keyFile: tlsKey[index],
                ocspFile: tlsOcsp.isEmpty ? nil : tlsOcsp[index])
        }
        if tlsSelfSigned {
            identities = [try TLSIdentity.selfSigned(hosts: ["localhost", "127.0.0.1", "::1"])]
            printError("made a certificate for localhost, 127.0.0.1 and ::1 that no client trusts; curl takes it with --insecure")
        }
        var configuration = TLSServerConfiguration(identities: identities)
        configuration.applicationProtocols = protocols
        configuration.keyLogFile = tlsKeyLog
        if let tlsClientCa { configuration.clientCertificates = .required(authorities: .file(tlsClientCa)) }
        return try TLSServerContext(configuration)
    }
}

extension TLSServerContext {
    private static let logger = Logger(label: "tls")

    /// Reads the certificates anew, and says how that went. If they cannot be used, the old ones stay.
    func reloadAndSay() {
        do {
            try reload()
            Self.logger.notice("certificates read anew")
        } catch {
            Self.logger.error("the certificates stay as they were", metadata: ["error": "\(error)"])
        }
    }

    /// Why a connection ended in its handshake.
    static func noteFailure(_ peer: SocketAddress, _ reason: CloseReason) {
        if case .tlsFailed(let failure) = reason {
            logger.info("no TLS connection", metadata: ["peer": "\(peer)", "reason": "\(failure)"])
        }
    }
}
