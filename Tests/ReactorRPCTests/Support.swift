import ReactorHTTP
import ReactorRPC
import ReactorTesting
import Testing

struct Reply: Equatable {
    let status: String
    let body: String
}

/// Posts `body` and returns the answer; the connection must be good for another request.
func post(
    _ body: [UInt8], to methods: RPCMethods = .samples, limits: RPCLimits = .default, bytewise: Bool = false,
    fields: String = "Content-Type: application/json\r\n"
) -> Reply {
    let driver = TestDriver(HTTPServerHandler(application: RPCApplication(methods: methods, limits: limits)))
    let head = "POST /rpc HTTP/1.1\r\nHost: a\r\n\(fields)Content-Length: \(body.count)\r\n\r\n"
    let request = Array(head.utf8) + body
    if bytewise { for byte in request { driver.receive([byte]) } } else { driver.receive(request) }
    #expect(driver.closed == nil)
    #expect(driver.wantsInput)
    return reply(driver.takeOutput())
}

func post(
    _ body: String, to methods: RPCMethods = .samples, limits: RPCLimits = .default, bytewise: Bool = false
) -> Reply {
    post(Array(body.utf8), to: methods, limits: limits, bytewise: bytewise)
}

/// The status and the body of an answer as it was written.
func reply(_ text: String) -> Reply {
    guard let end = text.firstRange(of: "\r\n\r\n"), let line = text.firstRange(of: "\r\n") else {
        return Reply(status: text, body: "")
    }
    return Reply(status: String(text[..<line.lowerBound].dropFirst(9)), body: String(text[end.upperBound...]))
}

func ok(_ body: String) -> Reply { Reply(status: "200 OK", body: body) }
let nothing = Reply(status: "204 No Content", body: "")

func failure(_ code: Int, _ message: String, id: String = "null") -> String {
    #"{"error":{"code":\#(code),"message":"\#(message)"},"id":\#(id),"jsonrpc":"2.0"}"#
}
