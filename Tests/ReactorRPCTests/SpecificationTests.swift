import ReactorRPC
import Testing

/// Every example of section 7 of the JSON-RPC 2.0 specification, in its order. Answers have their members sorted.
@Suite struct SpecificationTests {
    static let methods: RPCMethods = {
        var methods = RPCMethods.samples
        methods.add("sum") { try RPCMethods.samplesSum($0) }
        methods.add("get_data") { _ in ["hello", 5] }
        for name in ["update", "notify_hello", "notify_sum"] { methods.add(name) { _ in nil } }
        return methods
    }()

    static let examples: [(String, Reply)] = [
        (
            #"{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}"#,
            ok(#"{"id":1,"jsonrpc":"2.0","result":19}"#)
        ),
        (
            #"{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}"#,
            ok(#"{"id":2,"jsonrpc":"2.0","result":-19}"#)
        ),
        (
            #"{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}"#,
            ok(#"{"id":3,"jsonrpc":"2.0","result":19}"#)
        ),
        (
            #"{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}"#,
            ok(#"{"id":4,"jsonrpc":"2.0","result":19}"#)
        ),
        (#"{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}"#, nothing),
        (#"{"jsonrpc": "2.0", "method": "foobar"}"#, nothing),
        (#"{"jsonrpc": "2.0", "method": "foobar", "id": "1"}"#, ok(failure(-32601, "Method not found", id: #""1""#))),
        (#"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#, ok(failure(-32700, "Parse error"))),
        (#"{"jsonrpc": "2.0", "method": 1, "params": "bar"}"#, ok(failure(-32600, "Invalid Request"))),
        (
            #"""
            [
              {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
              {"jsonrpc": "2.0", "method"
            ]
            """#, ok(failure(-32700, "Parse error"))
        ),
        ("[]", ok(failure(-32600, "Invalid Request"))),
        ("[1]", ok("[" + failure(-32600, "Invalid Request") + "]")),
        ("[1,2,3]", ok("[" + Array(repeating: failure(-32600, "Invalid Request"), count: 3).joined(separator: ",") + "]")),
        (
            #"""
            [
              {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
              {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
              {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
              {"foo": "boo"},
              {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
              {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
            ]
            """#,
            ok(
                "["
                    + [
                        #"{"id":"1","jsonrpc":"2.0","result":7}"#, #"{"id":"2","jsonrpc":"2.0","result":19}"#,
                        failure(-32600, "Invalid Request"), failure(-32601, "Method not found", id: #""5""#),
                        #"{"id":"9","jsonrpc":"2.0","result":["hello",5]}"#,
                    ].joined(separator: ",") + "]")
        ),
        (
            #"""
            [
              {"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
              {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}
            ]
            """#, nothing
        ),
    ]

    @Test(arguments: examples)
    func example(_ request: String, _ expected: Reply) {
        #expect(post(request, to: Self.methods) == expected)
        #expect(post(request, to: Self.methods, bytewise: true) == expected)
    }
}

extension RPCMethods {
    static func samplesSum(_ parameters: RPCParameters) throws -> JSONValue {
        .integer(try parameters.decode([Int].self).reduce(0, +))
    }
}
