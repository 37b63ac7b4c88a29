import HTTPTestSupport
import ReactorHTTP
import ReactorTesting
import ReactorWeb
import Testing

@testable import ReactorSampleSite

/// One connection to a site of its own.
struct Visitor {
    let site: SampleSite
    let driver: TestDriver

    init(_ description: SiteDescription = SiteDescription(), window: Int? = nil, offloads: Bool = false) throws {
        site = try SampleSite(description)
        var options = SampleSite.Options()
        options.offloads = offloads
        let application = SiteApplication(RoutedApplication(site.router(options)), in: site.statistics)
        driver = TestDriver(HTTPServerHandler(application: application), window: window)
    }

    /// The whole answer to a request, with its fields as they stand there but for the date.
    func ask(_ line: String, fields: [String] = [], body: String? = nil, _ feeding: Feeding = .whole) -> Answer {
        var request = "\(line) HTTP/1.1\r\nHost: site.example\r\n" + fields.map { $0 + "\r\n" }.joined()
        if let body { request += "Content-Length: \(body.utf8.count)\r\n" }
        driver.feed(request + "\r\n" + (body ?? ""), feeding)
        return Answer(driver.takeOutput())
    }

    func submit(_ path: String, _ form: String, fields: [String] = []) -> Answer {
        ask("POST \(path)", fields: ["Content-Type: application/x-www-form-urlencoded"] + fields, body: form)
    }
}

struct Answer {
    let text: String

    init(_ text: String) { self.text = text }

    var status: String { String(text.prefix { $0 != "\r\n" }.dropFirst("HTTP/1.1 ".count)) }
    var code: Int? { Int(status.prefix(3)) }
    var body: String {
        guard let end = text.firstRange(of: "\r\n\r\n") else { return "" }
        return String(text[end.upperBound...])
    }

    func field(_ name: String) -> String? {
        let prefix = name + ": "
        return text.split(separator: "\r\n\r\n", maxSplits: 1).first?.split(separator: "\r\n")
            .first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }

    /// What a browser sends back of the cookie.
    var cookie: String? { field("Set-Cookie").map { String($0.prefix { $0 != ";" }) } }
}
