import FoundationEssentials
public import ReactorHTTP
import ReactorWire

/// A value as an answer in JSON, where the status is not 200. An `Encodable` value that a handler returns needs no such.
public struct JSON<Value: Encodable & Sendable>: ResponseConvertible {
    public var status: HTTPStatus
    public var value: Value

    public init(_ value: Value, status: HTTPStatus = .ok) {
        self.value = value
        self.status = status
    }

    public func response(to request: Request) throws -> Response {
        Response(status, contentType: "application/json", .bytes(Array(try encodeJSON(value))))
    }
}

extension Request {
    /// Reads the body as JSON.
    ///
    /// - Parameter limit: the most bytes that are read.
    /// - Throws: ``HTTPError``: 415 if Content-Type names something else, 413 past the limit, 400 if it is no such value or
    ///   past `limits`.
    public func decode<Value: Decodable>(
        as type: Value.Type = Value.self, upTo limit: Int = 1 << 20, limits: JSONLimits = .default
    ) async throws -> Value {
        try withView { try $0.checkIsJSON() }
        let bytes = try await body.collect(upTo: limit)
        return try decodeJSON(type, bytes.span.bytes, limits)
    }
}

extension RequestView {
    /// Reads the body, which was delivered whole, as JSON.
    ///
    /// - Throws: ``HTTPError``: 415 if Content-Type names something else, 400 if it is no such value or past `limits`.
    public func decode<Value: Decodable>(as type: Value.Type = Value.self, limits: JSONLimits = .default) throws -> Value {
        try checkIsJSON()
        return try decodeJSON(type, body, limits)
    }

    /// `application/json`, or a type that ends in `+json` (RFC 6839 section 3.1).
    fileprivate func checkIsJSON() throws {
        guard let type = field("content-type") else { throw HTTPError(.unsupportedMediaType, "no Content-Type") }
        var end = type.firstIndex(of: UInt8(ascii: ";")) ?? type.byteCount
        while end > 0, type[end - 1] == UInt8(ascii: " ") || type[end - 1] == 9 { end -= 1 }
        let essence = type.slice(0..<end)
        if essence.equalsIgnoringCase("application/json") { return }
        if end > 5, essence.slice(end - 5..<end).equalsIgnoringCase("+json") { return }
        throw HTTPError(.unsupportedMediaType, "not JSON: \(type.text)")
    }
}

extension ResponseWriter {
    /// Sends a value in JSON.
    ///
    /// - Throws: what encoding throws, before anything is sent.
    public mutating func send<Value: Encodable>(_ status: HTTPStatus = .ok, json value: Value) throws {
        send(status, contentType: "application/json", try encodeJSON(value).bytes)
    }
}

/// What it costs to make these is a good part of a small value, and they may be shared.
private let encoder = JSONEncoder()
private let decoder = JSONDecoder()

func encodeJSON(_ value: some Encodable) throws -> Data { try encoder.encode(value) }

private func decodeJSON<Value: Decodable>(_ type: Value.Type, _ bytes: RawSpan, _ limits: JSONLimits) throws -> Value {
    guard limits.bounds.hold(for: bytes) else { throw HTTPError(.badRequest, "JSON past its limits") }
    let data = bytes.withUnsafeBytes { Data($0) }
    do { return try decoder.decode(type, from: data) } catch { throw HTTPError(.badRequest, "\(error)") }
}
