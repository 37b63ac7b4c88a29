import Foundation
import HTTPTestSupport
import ReactorHTTP
import ReactorTesting
import ReactorWire
import Testing

@testable import ReactorWeb

/// Uploads that an `async` handler receives.
@Suite(.timeLimit(.minutes(40))) struct UploadRequestTests {
    private func send(_ body: [UInt8], to directory: String) -> Answer {
        var router = Router()
        router.post("/", .streamed(limit: 8 << 20)) { request async throws -> String in
            let form = try await request.receiveForm(into: directory)
            return form.files.map { "\($0.filename) \($0.size) \(TextCode.hex($0.sha256))\n" }.joined()
        }
        let driver = TestDriver(HTTPServerHandler(application: RoutedApplication(router)))
        let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=AaB03x\r\nContent-Length: \(body.count)\r\n\r\n"
        driver.feed(Array(head.utf8) + body, .whole)
        return Answer(driver.takeOutput())
    }

    @Test func areReceived() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("reactor-upload-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let contents = [[UInt8](repeating: 65, count: 700_000), Array("x".utf8)]
        let answer = send(formData(contents), to: directory)
        let expected = contents.enumerated().map { index, content in
            "\(index).bin \(content.count) \(TextCode.hex(DigestAlgorithm.sha256.digest(of: content.span.bytes)))\n"
        }
        #expect(answer.body == expected.joined())
        #expect(send(Array(formData(contents).dropLast(5)), to: directory).status == "400")
        #expect(send(formData(contents), to: directory + "/none").status == "500")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
    }
}
