/// One request object (JSON-RPC 2.0 section 4).
struct RPCCall: Sendable {
    let method: String
    let parameters: RPCParameters
    /// Nil for a notification, which is not answered.
    let id: JSONValue?

    /// The object is no request. The answer carries its id where that could be told, and null otherwise.
    struct Invalid: Error {
        let id: JSONValue
    }

    init(_ value: JSONValue) throws(Invalid) {
        let id = value["id"]
        switch id {
        case nil, .null, .integer, .decimal, .double, .string: break
        default: throw Invalid(id: .null)
        }
        guard value["jsonrpc"] == "2.0", let method = value["method"]?.string else { throw Invalid(id: id ?? .null) }
        switch value["params"] {
        case nil: parameters = .none
        case .array(let values): parameters = .positional(values)
        case .object(let members): parameters = .named(members)
        default: throw Invalid(id: id ?? .null)
        }
        self.method = method
        self.id = id
    }
}

/// The response objects (JSON-RPC 2.0 section 5).
enum RPCReply {
    static func result(_ value: JSONValue, id: JSONValue) -> JSONValue {
        ["jsonrpc": "2.0", "result": value, "id": id]
    }

    static func error(_ error: RPCError, id: JSONValue) -> JSONValue {
        var members: [String: JSONValue] = ["code": .integer(error.code), "message": .string(error.message)]
        members["data"] = error.data
        return ["jsonrpc": "2.0", "error": .object(members), "id": id]
    }

    /// The answer to `call`, nil if it was a notification.
    static func answer(to call: RPCCall, _ outcome: Result<JSONValue, any Error>) -> JSONValue? {
        guard let id = call.id else { return nil }
        switch outcome {
        case .success(let value): return result(value, id: id)
        case .failure(let failure): return error(failure as? RPCError ?? .internalError, id: id)
        }
    }
}
