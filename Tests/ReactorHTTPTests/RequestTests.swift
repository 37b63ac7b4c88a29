import HTTPTestSupport
import ReactorHTTP
import ReactorTesting
import Testing

private func probe(_ body: String) -> String { answer("200 OK", "Content-Type: text/plain", body: body) }

/// What is read of requests, however they arrive.
@Suite struct RequestTests {
    static let requests: [(String, String)] = [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "get GET / @a [Host=a] "),
        ("GET /a/b?c=d?e HTTP/1.1\r\nHost: a:80\r\n\r\n", "get GET /a/b ?c=d?e @a:80 [Host=a:80] "),
        ("GET /? HTTP/1.1\r\nHost:\r\n\r\n", "get GET / ? @ [Host=] "),
        ("GET http://b/c HTTP/1.1\r\nHost: a\r\n\r\n", "get GET /c @b [Host=a] "),
        ("GET HTTPS://b:443?q HTTP/1.1\r\nHost: a\r\n\r\n", "get GET / ?q @b:443 [Host=a] "),
        ("OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "options OPTIONS * @[::1]:80 [Host=[::1]:80] "),
        ("BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", "other BREW /pot @a [Host=a] "),
        ("get / HTTP/1.1\r\nHost: a\r\n\r\n", "other get / @a [Host=a] "),
        ("PATCH / HTTP/1.9\r\nHost: a\r\n\r\n", "patch PATCH / @a [Host=a] "),
        ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "get GET / @a [Host=a] "),
        (
            "GET / HTTP/1.1\r\nhOST:a\r\nX-Find: \t one two\t \r\nEmpty:\r\nX-FIND: three\r\nUtf: \u{e9}\t!\r\n\r\n",
            "get GET / @a [hOST=a] [X-Find=one two] [Empty=] [X-FIND=three] [Utf=\u{e9}\t!] found one two "
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "post POST / @a [Host=a] [Content-Length=0] "),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 003\r\n\r\nabc", "post POST / @a [Host=a] [Content-Length=003] abc"),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\r\n\r\n", "get GET / @a [Host=a] [Content-Length=4] \r\n\r\n"),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ChunkeD\r\n\r\n00A;x=\"y;z\"\r\n0123456789\r\n1 ;q\r\nX\r\n0\r\nT: u\r\nV:\r\n\r\n",
            "post POST / @a [Host=a] [Transfer-Encoding=ChunkeD] 0123456789X"
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "post POST / @a [Host=a] [Transfer-Encoding=chunked] "),
    ]

    @Test(arguments: requests, Feeding.allCases)
    func isRead(_ request: (String, String), _ feeding: Feeding) {
        let driver = TestDriver(HTTPServerHandler(application: Probe()))
        // Twice, so that nothing is left over from the first.
        driver.feed(request.0 + request.0, feeding)
        #expect(driver.takeOutput() == probe(request.1) + probe(request.1))
        #expect(driver.wantsInput)
    }

    @Test func everySplitInTwo() {
        for (text, expected) in Self.requests {
            let bytes = Array(text.utf8)
            for cut in 1..<bytes.count {
                let driver = TestDriver(HTTPServerHandler(application: Probe()))
                driver.receive(Array(bytes[..<cut]))
                driver.receive(Array(bytes[cut...]))
                #expect(driver.takeOutput() == probe(expected), "cut at \(cut)")
            }
        }
    }

    @Test(arguments: Feeding.allCases)
    func pipelinedRequestsAreAnsweredInOrder(_ feeding: Feeding) {
        let driver = TestDriver(HTTPServerHandler(application: Probe()))
        driver.feed(Self.requests.map(\.0).joined(), feeding)
        #expect(driver.takeOutput() == Self.requests.map { probe($0.1) }.joined())
    }

    @Test func oneContinueForABodyThatHasNotBegun() {
        let driver = TestDriver(HTTPServerHandler(application: Probe()))
        let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n"
        driver.receive(head)
        #expect(driver.takeOutput() == "HTTP/1.1 100 Continue\r\n\r\n")
        driver.receive("abc")
        let expected = probe("post POST / @a [Host=a] [Expect=100-Continue] [Content-Length=3] abc")
        #expect(driver.takeOutput() == expected)
        driver.receive(head + "abc")
        #expect(driver.takeOutput() == expected)
        driver.receive(head + "a")
        driver.receive("bc")
        #expect(driver.takeOutput() == expected)
        driver.receive("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
        #expect(driver.takeOutput() == "")
    }
}
