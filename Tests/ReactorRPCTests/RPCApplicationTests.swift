import Foundation
import Glibc
import ReactorHTTP
import ReactorRPC
import ReactorTesting
import Testing

@Suite struct RPCApplicationTests {
    private func result(_ method: String, _ params: String) -> String {
        let answer = post(#"{"jsonrpc":"2.0","method":"\#(method)","params":\#(params),"id":1}"#)
        #expect(answer.status == "200 OK")
        let start = #"{"id":1,"jsonrpc":"2.0","result":"#
        let end = "}"
        guard answer.body.hasPrefix(start), answer.body.hasSuffix(end) else { return answer.body }
        return String(answer.body.dropFirst(start.count).dropLast(end.count))
    }

    @Test(arguments: [
        "1", "0", "-7", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615",
        "18446744073709551616", "12345678901234567890123", "1.5", #""1""#, #""x""#, #""""#, #""true""#, "null",
    ])
    func theIDComesBackAsItWasSent(_ id: String) {
        #expect(
            post(#"{"id":\#(id),"jsonrpc":"2.0","method":"add","params":[1]}"#)
                == ok(#"{"id":\#(id),"jsonrpc":"2.0","result":1}"#))
    }

    @Test(arguments: [
        ("add", "[1,2,3]", "6"), ("add", #"{"a":1,"b":2}"#, "3"), ("add", "[1.5,2]", "3.5"), ("add", "[]", "0"),
        ("add", "[9223372036854775807,1]", "9.223372036854776e+18"), ("add", "[1e308,1e307]", "1.1e+308"),
        ("add", "[18446744073709551615,0]", "1.8446744073709552e+19"), ("add", #"{"b":1e16,"a":-1e16,"c":1}"#, "1"),
        ("subtract", "[-9223372036854775808,0]", "-9223372036854775808"), ("subtract", "[1,0.25]", "0.75"),
        ("echo", #"[1,{"b":[],"a":{}},"\u00e9\ud83d\ude00\n",1.50,true,null]"#, #"[1,{"a":{},"b":[]},"é😀\n",1.5,true,null]"#),
        ("sleep", "[0]", "0"), ("sleep", #"{"seconds":0.001}"#, "0.001"),
    ])
    func samples(_ method: String, _ params: String, _ expected: String) {
        #expect(result(method, params) == expected)
    }

    @Test(arguments: [
        ("add", #"["1"]"#), ("add", "[true]"), ("subtract", "[1]"), ("subtract", "[1,2,3]"), ("subtract", "{}"),
        ("subtract", #"{"minuend":1}"#), ("subtract", #"{"minuend":1,"other":2}"#), ("sleep", "[]"), ("sleep", "[-1]"),
        ("sleep", "[60.1]"), ("sleep", #"["1"]"#), ("add", "[1e308,1e308]"), ("add", "[-1e308,-1e308,1e308]"),
        ("subtract", "[1e308,-1e308]"), ("subtract", "[-1e308,1e308]"),
    ])
    func invalidParams(_ method: String, _ params: String) {
        #expect(result(method, params) == failure(-32602, "Invalid params", id: "1"))
    }

    @Test(arguments: [
        "1", "null", #""x""#, "{}", #"{"method":"add","id":1}"#, #"{"jsonrpc":"1.0","method":"add"}"#,
        #"{"jsonrpc":2.0,"method":"add"}"#, #"{"jsonrpc":"2.0"}"#, #"{"jsonrpc":"2.0","method":null}"#,
        #"{"jsonrpc":"2.0","method":"add","params":null}"#, #"{"jsonrpc":"2.0","method":"add","id":[1]}"#,
        #"{"jsonrpc":"2.0","method":"add","id":true}"#, #"{"jsonrpc":"2.0","method":"add","id":{}}"#,
    ])
    func invalidRequests(_ text: String) {
        let id = text.contains(#""id":1}"#) ? "1" : "null"
        #expect(post(text) == ok(failure(-32600, "Invalid Request", id: id)))
    }

    @Test func whatAMethodThrows() {
        struct Secret: Error {}
        var methods = RPCMethods()
        methods.add("fails") { _ in throw Secret() }
        methods.add("refuses") { _ in throw RPCError(code: 7, message: "no", data: ["why"]) }
        methods.addAsync("failsLater") { _ in throw Secret() }
        #expect(
            post(#"{"jsonrpc":"2.0","method":"fails","id":1}"#, to: methods)
                == ok(failure(-32603, "Internal error", id: "1")))
        #expect(
            post(#"{"jsonrpc":"2.0","method":"failsLater","id":1}"#, to: methods)
                == ok(failure(-32603, "Internal error", id: "1")))
        #expect(
            post(#"{"jsonrpc":"2.0","method":"refuses","id":1}"#, to: methods)
                == ok(#"{"error":{"code":7,"data":["why"],"message":"no"},"id":1,"jsonrpc":"2.0"}"#))
    }

    @Test func aBatchKeepsItsOrderWhateverSuspends() {
        var methods = RPCMethods.samples
        methods.addAsync("slow") { parameters in
            for _ in 0..<20 { await Task.yield() }
            return parameters.value
        }
        let batch = #"""
            [{"jsonrpc":"2.0","method":"slow","params":[1],"id":1},{"jsonrpc":"2.0","method":"add","params":[2],"id":2},
            {"jsonrpc":"2.0","method":"sleep","params":[0],"id":3},{"jsonrpc":"2.0","method":"sleep","params":[0]},
            {"jsonrpc":"2.0","method":"slow","id":5}]
            """#
        let expected = [("[1]", 1), ("2", 2), ("0", 3), ("null", 5)].map {
            #"{"id":\#($0.1),"jsonrpc":"2.0","result":\#($0.0)}"#
        }
        #expect(post(batch, to: methods) == ok("[" + expected.joined(separator: ",") + "]"))
        #expect(post(#"{"jsonrpc":"2.0","method":"slow"}"#, to: methods) == nothing)
    }

    @Test func pipelinedCallsAreAnsweredInOrder() {
        let driver = TestDriver(HTTPServerHandler(application: RPCApplication(methods: .samples)))
        var input = ""
        for (method, id) in [("sleep", 1), ("add", 2), ("sleep", 3)] {
            let body = #"{"jsonrpc":"2.0","method":"\#(method)","params":[0],"id":\#(id)}"#
            input += "POST /rpc HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        }
        driver.receive(input)
        let output: String = driver.takeOutput()
        let ids = output.matches(of: /"id":(\d)/).map { String($0.1) }
        #expect(ids == ["1", "2", "3"])
    }

    // MARK: Limits

    @Test func theLargestBatchAndOnePast() {
        var limits = RPCLimits()
        limits.batch = 3
        let call = #"{"jsonrpc":"2.0","method":"add","params":[1],"id":1}"#
        let one = #"{"id":1,"jsonrpc":"2.0","result":1}"#
        func batch(_ count: Int, of text: String) -> String {
            "[" + Array(repeating: text, count: count).joined(separator: ",") + "]"
        }
        #expect(post(batch(3, of: call), limits: limits) == ok(batch(3, of: one)))
        #expect(post(batch(4, of: call), limits: limits) == ok(failure(-32600, "Invalid Request")))
    }

    @Test func theDeepestNestingAndOnePast() {
        func echo(_ depth: Int) -> String {
            let nested = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            return #"{"jsonrpc":"2.0","method":"echo","params":\#(nested),"id":1}"#
        }
        #expect(post(echo(63)).body.contains("result"))
        #expect(post(echo(64)) == ok(failure(-32700, "Parse error")))
        #expect(post(String(repeating: "[", count: 1_000_000)) == ok(failure(-32700, "Parse error")))
        #expect(post(String(repeating: #"{"a":"#, count: 150_000)) == ok(failure(-32700, "Parse error")))
        #expect(post("[" + String(repeating: "[],", count: 30_000) + "[]]") == ok(failure(-32600, "Invalid Request")))
    }

    @Test func theMostValuesAndOnePast() {
        var limits = RPCLimits()
        // Two of them are the request and its params, three the commas between its members.
        limits.values = 5 + 4
        for values in ["1,2,3,4,5", "[[],[1]]", #"{"a":1,"b":2,"c":[]}"#, #"",,,[[[[[[[",1,2,3,4"#] {
            #expect(post(echo(values), limits: limits).body.contains("result"))
            #expect(post(echo(values + ",1"), limits: limits) == ok(failure(-32700, "Parse error")))
        }
        #expect(post("[" + String(repeating: "[],", count: 300_000) + "[]]") == ok(failure(-32700, "Parse error")))
        func echo(_ values: String) -> String {
            #"{"jsonrpc":"2.0","method":"echo","params":[\#(values)],"id":1}"#
        }
    }

    @Test(arguments: [#""\#(String(repeating: "n", count: 512))""#, #""\#(String(repeating: "\\n", count: 256))""#])
    func theLongestMemberNameAndOnePast(_ name: String) {
        func echo(_ name: String, _ space: String = "") -> String {
            #"{"jsonrpc":"2.0","method":"echo","params":{\#(name)\#(space):"\#(String(repeating: "v", count: 600))"},"id":1}"#
        }
        let longer = name.dropLast() + #"x""#
        #expect(post(echo(name)).body.contains("result"))
        #expect(post(echo(String(longer))) == ok(failure(-32700, "Parse error")))
        #expect(post(echo(String(longer), " \r\n\t")) == ok(failure(-32700, "Parse error")))
    }

    /// Brackets that Foundation would count but a scan for UTF-8 would not: each has a zero byte, and U+2200 looks like a
    /// quotation mark in UTF-16.
    @Test func otherEncodingsAreRefused() {
        let hidden = "[\"\u{2200}\"," + String(repeating: "[", count: 100_000)
        for encoding in [String.Encoding.utf16, .utf16BigEndian, .utf16LittleEndian, .utf32, .utf32BigEndian] {
            for text in [hidden, #"{"jsonrpc":"2.0","method":"add","params":[1],"id":1}"#] {
                let bytes = Array(text.data(using: encoding) ?? Data())
                #expect(post(bytes) == ok(failure(-32700, "Parse error")))
            }
        }
    }

    /// The deepest that can be allowed, on the stack that worker threads have.
    @Test(arguments: [("[", "", "]"), (#"{"a":"#, "1", "}")])
    func theDeepestNestingFitsASmallStack(_ open: String, _ middle: String, _ close: String) async {
        var limits = RPCLimits()
        limits.nesting = 1_000_000
        func echo(_ depth: Int) -> String {
            let nested = String(repeating: open, count: depth) + middle + String(repeating: close, count: depth)
            return #"{"jsonrpc":"2.0","method":"echo","params":[\#(nested)],"id":1}"#
        }
        let texts = [echo(126), echo(127), String(repeating: open, count: 1_000_000 / open.count)]
        let answers = await withCheckedContinuation { continuation in
            let thread = Thread { [limits] in continuation.resume(returning: texts.map { post($0, limits: limits) }) }
            thread.stackSize = 1 << 20
            thread.start()
        }
        #expect(answers[0].body.contains(#""result":["#))
        #expect(answers[1...].allSatisfy { $0 == ok(failure(-32700, "Parse error")) })
    }

    /// Accents on one letter, which Unicode sorts before it compares: in time that grows with the square of their number.
    ///
    /// The minute is of this thread's own work. A time limit would count the wait behind other suites' blocking tests.
    @Test(.timeLimit(.minutes(40)))
    func aMegabyteOfAccents() {
        let start = threadWork()
        defer { #expect(threadWork() - start < 60_000_000_000) }
        let text = "a" + String(repeating: "\u{301}\u{316}", count: 250_000)
        #expect(post(#"{"jsonrpc":"2.0","method":"\#(text)","id":1}"#) == ok(failure(-32601, "Method not found", id: "1")))
        #expect(post(#"{"jsonrpc":"2.0\#(text)","method":"add","id":1}"#) == ok(failure(-32600, "Invalid Request", id: "1")))
        #expect(post(#"{"\#(text)":1}"#) == ok(failure(-32700, "Parse error")))
        #expect(post(#"{"jsonrpc":"2.0","method":"echo","params":["\#(text)"],"id":1}"#).body.utf8.count > 1_000_000)
    }

    // MARK: HTTP

    @Test(arguments: [
        "application/json", "application/json; charset=utf-8", "Application/JSON ;x=y",
    ])
    func acceptedTypes(_ type: String) {
        let body = Array(#"{"jsonrpc":"2.0","method":"add","params":[1],"id":1}"#.utf8)
        #expect(post(body, fields: "Content-Type: \(type)\r\n").status == "200 OK")
        #expect(post(body, fields: "").status == "200 OK")
    }

    @Test(arguments: ["text/plain", "application/jsonx", "application", "", ";application/json"])
    func otherTypes(_ type: String) {
        #expect(post(Array("{}".utf8), fields: "Content-Type: \(type)\r\n").status == "415 Unsupported Media Type")
    }

    @Test(arguments: [("GET /rpc", "405 Method Not Allowed"), ("POST /", "404 Not Found"), ("BREW /rpc", "501 Not Implemented")])
    func otherRequests(_ line: String, _ status: String) {
        let driver = TestDriver(HTTPServerHandler(application: RPCApplication(methods: .samples)))
        driver.receive("\(line) HTTP/1.1\r\nHost: a\r\n\r\n")
        let output: String = driver.takeOutput()
        #expect(reply(output).status == status)
        #expect(output.contains("Allow: POST\r\n") == status.hasPrefix("405"))
    }
}

/// The time that this thread has worked, in nanoseconds.
private func threadWork() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}
