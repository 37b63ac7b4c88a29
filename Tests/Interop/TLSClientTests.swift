import ConnectionHandling
import Foundation
import Glibc
import Reactor
import ReactorTLS
import ReactorWire
import ServerArchitectures
import TestSupport
import Testing

/// Our clients against servers under TLS, theirs and ours, on a loop and on a thread.
@Suite(.timeLimit(.minutes(40))) struct TLSClientTests {
    private final class Told {
        var text = ""
        var reason: CloseReason?
        var isResumed = false
        var failure: CloseReason?
    }

    /// Asks for a page and takes it to the end.
    private struct Fetch: ConnectionHandler {
        let told: Told
        let session: TLSSession

        mutating func connected(on connection: inout Connection) {
            told.isResumed = session.isResumed
            connection.write("GET / HTTP/1.0\r\n\r\n")
        }
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
            told.text += bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
            return bytes.byteCount
        }
        mutating func closed(_ reason: CloseReason) { told.reason = reason }
    }

    private let certificates: Certificates

    init() throws {
        certificates = try Certificates()
        try certificates.makeAuthority()
        try certificates.issue("server", serial: 1_000)
    }

    private func client(trusting authority: String? = nil) throws -> TLSClientContext {
        var configuration = TLSClientConfiguration()
        // In time for a server that speaks no TLS.
        configuration.limits.handshakeTime = .seconds(2)
        configuration.trust = .authorities(.file(authority ?? certificates.authority))
        return try TLSClientContext(configuration)
    }

    private func fetch(
        _ address: SocketAddress, _ context: TLSClientContext, name: String = "localhost", blocking: Bool
    ) throws -> Told {
        let told = Told()
        let session = try context.makeSession(serverName: name)
        func handler() -> TLSHandler<Fetch> {
            TLSHandler(session, onFailure: { told.failure = $1 }) { Fetch(told: told, session: $0) }
        }
        if blocking {
            var client = try BlockingClient(connectingTo: address, makeHandler: handler)
            _ = client.serve()
        } else {
            let loop = try EventLoop()
            defer { loop.close() }
            loop.connect(to: address, onFailure: { Issue.record("\($0)") }, makeHandler: handler)
            loop.run { told.reason != nil || told.failure != nil }
        }
        return told
    }

    @Test(arguments: TLSPeer.Kind.allCases, [false, true]) func pagesAreFetched(_ kind: TLSPeer.Kind, _ blocking: Bool) throws {
        let server = try TLSPeer(kind, certificate: certificates.path("server.pem"), key: certificates.path("server.key"))
        let context = try client()
        for round in 0..<3 {
            let told = try fetch(server.address, context, blocking: blocking)
            #expect(told.text.contains(kind == .nginx ? "from nginx" : "Cipher is TLS_"), "\(told.text)")
            #expect(told.reason == .finished && told.failure == nil)
            #expect(told.isResumed == (round > 0), "round \(round)")
        }
    }

    @Test(arguments: [false, true]) func aServerThatIsNotWhoItShouldBeIsRefused(_ blocking: Bool) throws {
        let server = try TLSPeer(.openssl, certificate: certificates.path("server.pem"), key: certificates.path("server.key"))
        func failure(_ context: TLSClientContext, _ name: String) throws -> TLSFailure.Kind? {
            let told = try fetch(server.address, context, name: name, blocking: blocking)
            #expect(told.text.isEmpty && told.reason == nil, "the handler was never made")
            guard case .tlsFailed(let failure) = told.failure else { return nil }
            return failure.kind
        }
        #expect(try failure(client(), "example.org") == .certificate(.wrongHost))
        let others = try Certificates()
        try others.makeAuthority()
        #expect(try failure(client(trusting: others.authority), "localhost") == .certificate(.unknownIssuer))
    }

    @Test(arguments: [false, true]) func aStreamThatIsCutOffIsNoEnd(_ blocking: Bool) throws {
        let port = try freeAddress().port ?? 0
        let done = DispatchSemaphore(value: 0)
        let (certificate, key) = (certificates.path("server.pem"), certificates.path("server.key"))
        Thread.detachNewThread {
            _ = try? python(
                """
                import os, socket, ssl, sys
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(sys.argv[2], sys.argv[3])
                with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
                    listener.settimeout(20)
                    raw, _ = listener.accept()
                    tls = context.wrap_socket(raw, server_side=True)
                    tls.recv(4096)
                    tls.sendall(b"half a pa")
                    # Ends the stream below TLS.
                    os.shutdown if False else socket.socket(fileno=tls.detach()).shutdown(socket.SHUT_WR)
                """, "\(port)", certificate, key)
            done.signal()
        }
        let address = SocketAddress.loopback(port: port)
        for _ in 0..<1_000 where descriptorIsRefused(address) { usleep(10_000) }
        let told = try fetch(address, client(), blocking: blocking)
        #expect(told.text == "half a pa")
        #expect(told.reason == .tlsFailed(TLSFailure(.truncated)))
        done.wait()
    }

    /// Asks the kernel whether somebody listens, without connecting: the server takes one connection.
    private func descriptorIsRefused(_ address: SocketAddress) -> Bool {
        let table = (try? String(contentsOfFile: "/proc/net/tcp", encoding: .utf8)) ?? ""
        let port = String(format: ":%04X", address.port ?? 0)
        return !table.split(separator: "\n").contains { $0.contains("0100007F\(port) 00000000:0000 0A") }
    }

    private final class Held {
        private var lease: PoolLease<TLSHandler<LineCaller>>?
        init(_ lease: consuming PoolLease<TLSHandler<LineCaller>>) { self.lease = consume lease }
        func use<Result>(_ body: (inout TLSHandler<LineCaller>, inout Connection) -> Result) -> Result? { lease?.withHandler(body) }
        func release() { lease.take()?.release() }
    }

    /// A lease is given only once the handshake is over.
    @Test func poolsHandOutConnectionsThatAreSecured() throws {
        let identity = TLSIdentity(certificateFile: certificates.path("server.pem"), keyFile: certificates.path("server.key"))
        let context = try TLSServerContext(TLSServerConfiguration(identities: [identity]))
        let server = try ThreadedServer { TLSHandler(context) { _ in LineServer() } }
        let plain = try ThreadedServer()
        let clients = try client()
        let makeCaller: @Sendable () -> TLSHandler<LineCaller> = {
            do {
                return TLSHandler(try clients.makeSession(serverName: "localhost")) { _ in LineCaller() }
            } catch {
                preconditionFailure("\(error)")
            }
        }
        let loop = try EventLoop()
        defer { loop.close() }
        let pool = ConnectionPool(on: loop) { _ in makeCaller() }
        var answers: [String] = []
        for index in 0..<3 {
            pool.acquire(server.address, onFailure: { Issue.record("\($0)") }) { lease in
                let held = Held(lease)
                let isReady = held.use { caller, connection in
                    caller.inner?.ask("line \(index)", on: &connection) { answer in
                        held.release()
                        answers.append(answer)
                    }
                    return caller.inner != nil && connection.tls?.version == .v1_3
                }
                #expect(isReady == true)
            }
            loop.run { answers.count == index + 1 }
        }
        #expect(answers == ["line 0", "line 1", "line 2"])
        #expect(pool.statistics.connected == 1)

        var failure: PoolError?
        pool.acquire(plain.address, onFailure: { failure = $0 }) { _ in Issue.record("no TLS there") }
        loop.run { failure != nil }
        guard case .connectFailed(.handshake(.tlsFailed)) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }

        let blocking = BlockingConnectionPool { _ in makeCaller() }
        var lease = try blocking.acquire(server.address, within: .seconds(10))
        let asked = lease.withHandler { caller, connection in
            caller.inner?.ask("on a thread", on: &connection)
            return caller.inner != nil
        }
        #expect(asked == true)
        #expect(lease.serve(until: { $0.inner?.last == "on a thread" }, within: .seconds(10)) == .satisfied)
    }
}
