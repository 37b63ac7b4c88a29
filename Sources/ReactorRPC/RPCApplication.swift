import ConnectionHandling
import FoundationEssentials
public import ReactorHTTP
import ReactorWire

/// Serves JSON-RPC 2.0 by `POST /rpc`: calls, notifications and batches. Errors of JSON-RPC are answered with status
/// 200; a message in which there is nothing to answer with 204.
public struct RPCApplication: HTTPApplication {
    private let methods: RPCMethods
    private let limits: RPCLimits
    private var awaited: Awaited<Data?>?

    public init(methods: RPCMethods, limits: RPCLimits = .default) {
        self.methods = methods
        self.limits = limits
    }

    public mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        guard request.path.equals("/rpc") else { return response.sendStatus(.notFound) }
        if response.refuses(request.method, allowed: .post) { return }
        if let type = request.field("content-type"), !Self.isJSON(type) {
            return response.sendStatus(.unsupportedMediaType)
        }
        let value: JSONValue
        do throws(JSONValue.Unreadable) {
            value = try JSONValue(reading: request.body, limits: limits)
        } catch {
            return Self.send(Result { try RPCReply.error(.parseError, id: .null).json }, &response)
        }
        let message = RPCMessage(value, methods: methods, limits: limits)
        if message.isWaiting {
            awaited = response.await { try await message.finished().reply }
        } else {
            Self.send(Result { try message.reply }, &response)
        }
    }

    public mutating func answered(_ response: inout ResponseWriter) {
        guard let reply = awaited?.take() else { return }
        awaited = nil
        Self.send(reply, &response)
    }

    private static func send(_ reply: Result<Data?, any Error>, _ response: inout ResponseWriter) {
        switch reply {
        case .success(let text?): response.send(.ok, contentType: "application/json", text.bytes)
        case .success(nil): response.send(.noContent)
        case .failure: response.sendStatus(.internalServerError)
        }
    }

    /// Whether a Content-Type is `application/json`, whatever its parameters.
    private static func isJSON(_ type: RawSpan) -> Bool {
        var end = type.firstIndex(of: UInt8(ascii: ";")) ?? type.byteCount
        while end > 0, type[end - 1] == 0x20 || type[end - 1] == 0x09 { end -= 1 }
        return type.slice(0..<end).equalsIgnoringCase("application/json")
    }
}
