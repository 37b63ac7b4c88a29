import ConnectionHandling
import Foundation
import Glibc
import Reactor
@testable import ReactorLoad
import ReactorTLS
import ReactorWire
import TestSupport
import Testing

/// Servers that do what none should: each error under its kind, and the load ends in its time.
@Suite(.timeLimit(.minutes(15)), .serialized) struct BadServerTests {
    /// Does one thing once a request is there.
    private struct Misbehaving: ConnectionHandler {
        let misbehave: @Sendable (inout Connection) -> Void
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
            misbehave(&connection)
            return bytes.byteCount
        }
    }

    private struct ClosingAtOnce: ConnectionHandler {
        mutating func connected(on connection: inout Connection) { connection.close() }
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
    }

    private func attack(
        _ rate: Double? = nil, seconds: Double = 0.4, timeout: Double = 20, scheme: String = "http",
        _ misbehave: @escaping @Sendable (inout Connection) -> Void
    ) throws -> LoadReport {
        let server = try serve { Misbehaving(misbehave: misbehave) }
        let report = try load("\(scheme)://\(server.place)", seconds: seconds) {
            $0.timeout = timeout
            $0.arrivals = rate.map { .init(rate: $0) }
        }
        server.thread.stop()
        if rate != nil { #expect(report.dueRequests == report.requests + report.errors.all, "\(report.errors)") }
        return report
    }

    @Test(arguments: [nil, 100.0]) func garbage(_ rate: Double?) throws {
        let report = try attack(rate) { $0.write("this is not HTTP\r\n\r\n") }
        #expect(report.requests == 0)
        #expect(report.errors[.protocol] > 0)
        #expect(report.errors[.protocol] + report.errors[.unanswered] == report.errors.all, "\(report.errors)")
    }

    @Test func bytesThatNobodyAskedFor() throws {
        let report = try attack { $0.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }
        #expect(report.requests > 0)
        #expect(report.errors[.protocol] > 0)
    }

    @Test(arguments: ["500 Oh", "302 There"]) func refusals(_ status: String) throws {
        let report = try attack(100) { $0.write("HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n") }
        #expect(report.requests == 0)
        #expect(report.errors[.status] > 0)
        #expect(report.errors.examples[.status]?.hasPrefix("status ") == true)
    }

    @Test(arguments: [nil, 100.0]) func resets(_ rate: Double?) throws {
        let report = try attack(rate) { $0.close(.aborting) }
        #expect(report.requests == 0)
        #expect(report.errors[.closed] > 0)
        #expect(report.errors[.closed] + report.errors[.unanswered] == report.errors.all, "\(report.errors)")
    }

    @Test func halfAnswers() throws {
        let report = try attack {
            $0.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")
            $0.close()
        }
        #expect(report.requests == 0)
        #expect(report.errors[.closed] == report.errors.all && report.errors.all > 0, "\(report.errors)")
    }

    @Test(arguments: [nil, 100.0]) func closesAtOnce(_ rate: Double?) throws {
        let server = try serve { ClosingAtOnce() }
        let report = try load("http://\(server.place)") { $0.arrivals = rate.map { .init(rate: $0) } }
        #expect(report.requests == 0)
        #expect(report.errors[.closed] > 0, "\(report.errors)")
        server.thread.stop()
    }

    @Test(arguments: [nil, 50.0]) func neverAnswers(_ rate: Double?) throws {
        let begun = Date()
        let report = try attack(rate, seconds: 1, timeout: 0.3) { _ in }
        #expect(report.requests == 0)
        #expect(report.errors[.timeout] > 0, "\(report.errors)")
        #expect(report.errors[.timeout] + report.errors[.unanswered] == report.errors.all, "\(report.errors)")
        // 1 s, 0.3 s to drain, and a busy machine.
        #expect(Date().timeIntervalSince(begun) < 60)
    }

    @Test func answersAreDrippedForEver() throws {
        let report = try attack(seconds: 1, timeout: 0.3) { $0.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n") }
        #expect(report.requests == 0)
        #expect(report.errors[.timeout] > 0, "\(report.errors)")
    }

    @Test func whatIsLeftAtTheEndIsCounted() throws {
        // The time-out is longer than the load and what it waits for.
        let report = try attack(200, seconds: 0.5, timeout: 1) { _ in }
        #expect(report.errors[.timeout] + report.errors[.unanswered] == report.dueRequests)
        #expect(report.errors[.unanswered] >= 90, "\(report.errors)")
    }

    @Test func wrongEchoes() throws {
        let report = try attack(scheme: "echo") { $0.write(String(repeating: "x", count: 64)) }
        #expect(report.requests == 0)
        #expect(report.errors[.protocol] > 0)
    }

    @Test func noSMTP() throws {
        let server = try serve { Greeting(text: "HTTP/1.1 400 Bad Request\r\n\r\n") }
        let report = try load("smtp://\(server.place)")
        #expect(report.requests == 0)
        #expect(report.errors[.protocol] > 0, "\(report.errors)")
        let refusing = try serve { Greeting(text: "554 not here\r\n") }
        let refused = try load("smtp://\(refusing.place)")
        #expect(refused.errors[.status] > 0 && refused.errors[.status] == refused.errors.all, "\(refused.errors)")
        let silent = try serve { Greeting(text: "") }
        let waited = try load("smtp://\(silent.place)", seconds: 1) { $0.timeout = 0.3 }
        #expect(waited.errors[.timeout] > 0, "\(waited.errors)")
        for server in [server, refusing, silent] { server.thread.stop() }
    }

    private struct Greeting: ConnectionHandler {
        let text: String
        mutating func connected(on connection: inout Connection) { connection.write(text) }
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
    }

    @Test func aServerInPlainHasNoTLS() throws {
        let server = try serve { Answering() }
        let failure = #expect(throws: LoadFailure.self) {
            try load("https://\(server.place)") {
                $0.tls.acceptsAnyCertificate = true
                $0.timeout = 2
            }
        }
        #expect(failure?.description.hasPrefix("cannot connect to https://") == true, "\(failure?.description ?? "")")
        server.thread.stop()
    }

    @Test(arguments: [false, true]) func nobodyListens(_ reconnects: Bool) throws {
        let gone = try serve { Answering() }
        gone.thread.stop()
        // The listener goes with its loop.
        for _ in 0..<1_000 where (try? TestClient(gone.thread.made)) != nil { usleep(10_000) }
        let failure = #expect(throws: LoadFailure.self) {
            try load("http://\(gone.place)") {
                $0.reconnects = reconnects
                $0.warmUp = 0.2
            }
        }
        #expect(failure?.description.contains("Connection refused") == true)
    }

    /// It was there, and goes: what fails from then on is counted.
    @Test func aServerThatGoesIsSeen() throws {
        let server = try serve { Answering() }
        let stopper = Thread {
            usleep(500_000)
            server.thread.stop()
        }
        stopper.start()
        let report = try load("http://\(server.place)", seconds: 1.5)
        #expect(report.requests > 0)
        #expect(report.errors[.connect] > 0, "\(report.errors)")
        #expect(report.errors.examples[.connect] == "Connection refused")
    }

    @Test func noTwoBytesOfGarbageTrap() throws {
        for seed in 0..<6 as Range<UInt64> {
            var random = SplitMix(state: seed)
            let noise = (0..<2_000).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            for scheme in ["http", "rpc+http", "smtp", "echo"] {
                let server = try serve { Noisy(noise: noise) }
                let report = try load("\(scheme)://\(server.place)", seconds: 0.1) { $0.timeout = 0.5 }
                #expect(report.requests == 0)
                server.thread.stop()
            }
        }
    }

    private struct Noisy: ConnectionHandler {
        let noise: [UInt8]
        mutating func connected(on connection: inout Connection) { connection.output.append(noise) }
        mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int { bytes.byteCount }
    }
}
