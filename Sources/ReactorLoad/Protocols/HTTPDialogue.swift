import ConnectionHandling
import Foundation
import ReactorWire

/// HTTP/1.1 requests that are all alike, and for JSON-RPC what their answers must say.
final class HTTPDialogue: Dialogue {
    private let request: HTTPRequestText
    @exclusivity(unchecked) private var reader = HTTPResponseReader()

    init(_ request: HTTPRequestText) {
        self.request = request
        reader.answersHead = request.isHead
        reader.gathers = request.answer != nil
    }

    override var mayContinue: Bool { reader.keepsAlive }

    override func begin(on connection: inout Connection) {
        reader = HTTPResponseReader()
        reader.answersHead = request.isHead
        reader.gathers = request.answer != nil
    }

    override func write(on connection: inout Connection) { connection.write(request.bytes) }

    override func read(_ bytes: RawSpan, from offset: inout Int, on connection: inout Connection) -> Step {
        switch reader.next(in: bytes, from: &offset) {
        case .incomplete: return .incomplete
        case .message: return judge()
        case .broken:
            complaint = "no HTTP/1.1 response"
            return .broken
        }
    }

    override func end() -> Step { reader.end() == .message ? judge() : .incomplete }

    private func judge() -> Step {
        guard (200..<300).contains(reader.status) else {
            complaint = "status \(reader.status)"
            return .refused
        }
        guard let answer = request.answer else { return .answered }
        let step = answer.judge(reader.gathered)
        if step != .answered { complaint = step == .refused ? "a JSON-RPC error" : "not the JSON-RPC answer" }
        return step
    }
}

/// The request that every connection of a load sends.
final class HTTPRequestText {
    let bytes: SharedBytes
    let isHead: Bool
    /// What a JSON-RPC answer must be; nil for any answer.
    let answer: RPCAnswer?

    init(_ plan: LoadPlan) {
        let isRPC = plan.target.scheme.isRPC
        let body = isRPC ? Self.call(plan) : plan.body
        let method = isRPC ? "POST" : plan.method
        var head = "\(method) \(plan.target.path) HTTP/1.1\r\n"
        let given = Set(plan.headers.map { $0.name.lowercased() })
        if !given.contains("host") { head += "Host: \(plan.target.authority)\r\n" }
        if isRPC && !given.contains("content-type") { head += "Content-Type: application/json\r\n" }
        if plan.reconnects && !given.contains("connection") { head += "Connection: close\r\n" }
        for (name, value) in plan.headers { head += "\(name): \(value)\r\n" }
        if !body.isEmpty || ["POST", "PUT", "PATCH"].contains(method) { head += "Content-Length: \(body.count)\r\n" }
        bytes = SharedBytes(copying: (Array((head + "\r\n").utf8) + body).span.bytes)
        isHead = method == "HEAD"
        answer = isRPC ? RPCAnswer() : nil
    }

    private static func call(_ plan: LoadPlan) -> [UInt8] {
        let method = (try? JSONEncoder().encode(plan.call)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
        return Array(#"{"jsonrpc":"2.0","method":\#(method),"params":\#(plan.parameters),"id":\#(RPCAnswer.id)}"#.utf8)
    }
}

/// Whether bodies are answers to the one call. The call is always the same, and so is the answer to most methods: a body
/// that has been parsed once is recognised by its bytes.
final class RPCAnswer {
    static let id = 1
    private var known: [UInt8]?

    func judge(_ body: [UInt8]) -> Dialogue.Step {
        if body == known { return .answered }
        guard let object = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any],
            object["jsonrpc"] as? String == "2.0"
        else { return .broken }
        if object["error"] != nil { return .refused }
        guard object["id"] as? Int == Self.id, object["result"] != nil else { return .broken }
        known = body
        return .answered
    }
}
