import ConnectionHandling
import Foundation
import HTTPTestSupport
import HTTPTypes
import ReactorHTTP
import ReactorTesting
import ReactorWire
import Testing

@testable import ReactorWeb

/// Answers with what was uploaded, and keeps the files if asked.
private struct Upload: HTTPApplication, ~Copyable {
    let directory: String
    var limits = MultipartLimits()
    var keeps: String?
    var upload: FormUpload?

    init(directory: String, limits: MultipartLimits, keeps: String?) {
        self.directory = directory
        self.limits = limits
        self.keeps = keeps
    }

    mutating func delivery(of request: borrowing RequestView) -> BodyDelivery { .streamed(limit: 8 << 20) }

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        guard let type = request.field("content-type") else { return response.sendStatus(.unsupportedMediaType) }
        do throws(MultipartViolation) {
            upload = try FormUpload(contentType: type, directory: directory, limits: limits)
        } catch { response.sendStatus(error.status) }
    }

    mutating func received(_ body: RawSpan, with response: inout ResponseWriter) {
        do throws(MultipartViolation) { try upload?.received(body, with: &response) } catch { fail(error, &response) }
    }

    mutating func bodyEnded(trailers: HTTPFields, with response: inout ResponseWriter) {
        do throws(MultipartViolation) {
            if let form = try upload?.bodyEnded(with: &response) { finish(form, &response) }
        } catch { fail(error, &response) }
    }

    mutating func answered(_ response: inout ResponseWriter) {
        do {
            if let form = try upload?.answered(with: &response) { finish(form, &response) }
        } catch {
            upload = nil
            response.sendStatus(.internalServerError)
        }
    }

    private mutating func fail(_ violation: MultipartViolation, _ response: inout ResponseWriter) {
        upload = nil
        response.sendStatus(violation.status)
    }

    private mutating func finish(_ form: UploadedForm, _ response: inout ResponseWriter) {
        var text = form.fields.all.map { "\($0.name)=\($0.value)\n" }.joined()
        for file in form.files {
            text += "\(file.name) \(file.filename) \(file.size) \(TextCode.hex(file.sha256).prefix(8))\n"
            if let keeps { try? file.keep(as: "\(keeps)/kept-\(file.name)") }
        }
        upload = nil
        response.send(.ok, contentType: "text/plain", Array(text.utf8).span.bytes)
    }

    mutating func exchangeEnded(_ summary: borrowing ExchangeSummary) { upload = nil }
}

@Suite struct FormUploadTests {
    private let directory = FileManager.default.temporaryDirectory.appendingPathComponent("reactor-upload-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) }

    private func removeDirectory() { try? FileManager.default.removeItem(atPath: directory) }

    private func files() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: directory).sorted() }

    private func driver(_ limits: MultipartLimits = .default, directory: String? = nil, keeps: String? = nil) -> TestDriver {
        TestDriver(HTTPServerHandler(application: Upload(directory: directory ?? self.directory, limits: limits, keeps: keeps)))
    }

    private func request(_ body: [UInt8], type: String = "multipart/form-data; boundary=AaB03x") -> [UInt8] {
        Array("POST / HTTP/1.1\r\nHost: x\r\nContent-Type: \(type)\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
    }

    private func value(_ name: String, _ text: String) -> [UInt8] {
        Array("--AaB03x\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(text)\r\n".utf8)
    }

    private func send(_ bytes: [UInt8], to driver: TestDriver) -> Answer {
        driver.receive(bytes)
        return Answer(driver.takeOutput())
    }

    @Test(arguments: Feeding.allCases) func valuesAndFiles(_ feeding: Feeding) throws {
        defer { removeDirectory() }
        let driver = driver()
        driver.feed(request(value("a", "1") + value("b", "two") + formData([Array("hello".utf8), []])), feeding)
        let answer = Answer(driver.takeOutput())
        #expect(answer.body == "a=1\nb=two\nf0 0.bin 5 2cf24dba\nf1 1.bin 0 e3b0c442\n")
        #expect(try files().isEmpty)
    }

    /// It has moved already.
    @Test func isKeptOnce() throws {
        defer { removeDirectory() }
        var parts = GatheredParts(limits: .default)
        var parser = try MultipartParser(contentType: Array("multipart/form-data; boundary=AaB03x".utf8).span.bytes)
        try parser.receive(formData([Array("hello".utf8)]).span.bytes, into: &parts)
        let file = try #require(try UploadWriter(directory: directory).run(parts.takeSteps()).first)
        try file.keep(as: "\(directory)/one")
        #expect(throws: UploadFailure.self) { try file.keep(as: "\(directory)/two") }
        #expect(try files() == ["one"])
    }

    @Test func withoutFiles() throws {
        defer { removeDirectory() }
        #expect(send(request(value("a", "1") + Array("--AaB03x--".utf8)), to: driver()).body == "a=1\n")
    }

    /// More than is gathered at a time, and more than one file.
    @Test func largeFilesAreWrittenInBatches() throws {
        defer { removeDirectory() }
        var generator = SeededGenerator(seed: 6)
        let contents = [700_000, 0, 300_000].map { count in (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) } }
        let driver = driver(keeps: directory)
        driver.feed(request(formData(contents)), .whole)
        #expect(Answer(driver.takeOutput()).status == "200")
        #expect(try files() == ["kept-f0", "kept-f1", "kept-f2"])
        for (index, content) in contents.enumerated() {
            let path = "\(directory)/kept-f\(index)"
            #expect(try Data(contentsOf: URL(filePath: path)) == Data(content))
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    @Test func nothingIsLeftBehind() throws {
        defer { removeDirectory() }
        let whole = request(formData([[UInt8](repeating: 7, count: 600_000)]))
        // The peer is gone in the middle of the file, when some of it is written.
        let driver = driver()
        driver.receive(Array(whole.prefix(500_000)))
        #expect(try files().count == 1)
        driver.reset()
        #expect(try files().isEmpty)
    }

    @Test func whatIsTruncatedIsRefused() throws {
        defer { removeDirectory() }
        let body = Array(formData([[UInt8](repeating: 7, count: 300_000)]).dropLast(6))
        #expect(send(request(body), to: driver()).status == "400")
        #expect(try files().isEmpty)
    }

    @Test func limits() throws {
        defer { removeDirectory() }
        var limits = MultipartLimits()
        limits.value = 4
        limits.values = 6
        limits.files = 2
        let end = Array("--AaB03x--".utf8)
        #expect(send(request(value("a", "1234") + end), to: driver(limits)).status == "200")
        #expect(send(request(value("a", "12345") + end), to: driver(limits)).status == "413")
        #expect(send(request(value("a", "123") + value("b", "456") + end), to: driver(limits)).status == "200")
        #expect(send(request(value("a", "123") + value("b", "4567") + end), to: driver(limits)).status == "413")
        #expect(send(request(formData([[], []])), to: driver(limits)).status == "200")
        #expect(send(request(formData([[], [], []])), to: driver(limits)).status == "413")
        #expect(try files().isEmpty)
    }

    @Test func otherTypes() throws {
        defer { removeDirectory() }
        #expect(send(request([], type: "text/plain"), to: driver()).status == "415")
    }

    @Test func aDirectoryThatIsNotThere() throws {
        defer { removeDirectory() }
        #expect(send(request(formData([[1]])), to: driver(directory: directory + "/none")).status == "500")
    }
}
