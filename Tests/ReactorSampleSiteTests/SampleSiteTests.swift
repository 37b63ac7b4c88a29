import HTTPTestSupport
import ReactorHTTP
import ReactorSampleSite
import ReactorTesting
import Testing

@Suite struct SampleSiteTests {
    @Test(arguments: Feeding.allCases)
    func theFixedPages(_ feeding: Feeding) {
        let driver = TestDriver(HTTPServerHandler(application: SampleSite()))
        driver.feed("GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n", feeding)
        #expect(driver.takeOutput() == hello)
        driver.feed("GET /json HTTP/1.1\r\nHost: a\r\n\r\n", feeding)
        #expect(
            driver.takeOutput()
                == answer("200 OK", "Content-Type: application/json", body: #"{"message":"Hello, World!"}"#))
        driver.feed("GET /none HTTP/1.1\r\nHost: a\r\n\r\n", feeding)
        #expect(driver.takeOutput() == status("404 Not Found"))
    }

    @Test(arguments: Feeding.allCases)
    func echo(_ feeding: Feeding) {
        let driver = TestDriver(HTTPServerHandler(application: SampleSite()))
        driver.feed(
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/x-mine\r\nContent-Length: 5\r\n\r\nhello", feeding)
        #expect(driver.takeOutput() == answer("200 OK", "Content-Type: text/x-mine", body: "hello"))
        driver.feed(
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n",
            feeding)
        #expect(driver.takeOutput() == answer("200 OK", body: "hello!"))
    }

    @Test(arguments: [
        ("POST /plaintext", "405 Method Not Allowed", "GET, HEAD"), ("DELETE /json", "405 Method Not Allowed", "GET, HEAD"),
        ("GET /echo", "405 Method Not Allowed", "POST"), ("HEAD /echo", "405 Method Not Allowed", "POST"),
    ])
    func methodsThatAPageHasNot(_ line: String, _ text: String, _ allowed: String) {
        let driver = TestDriver(HTTPServerHandler(application: SampleSite()))
        driver.receive("\(line) HTTP/1.1\r\nHost: a\r\n\r\n")
        let body = line.hasPrefix("HEAD") ? "" : text + "\n"
        let expected = answer(text, "Allow: \(allowed)", "Content-Type: text/plain", body: text + "\n")
        #expect(driver.takeOutput() == expected.dropLast(text.utf8.count + 1) + body)
        #expect(driver.wantsInput)
    }

    @Test func methodsThatNobodyHas() {
        let driver = TestDriver(HTTPServerHandler(application: SampleSite()))
        driver.receive("BREW /plaintext HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(driver.takeOutput() == status("501 Not Implemented"))
        driver.receive("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(driver.takeOutput() == answer("204 No Content", "Allow: GET, HEAD, POST"))
    }
}
