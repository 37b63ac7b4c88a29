public import ReactorHTTP
import ReactorWire

extension RequestView {
    /// The fields of the query; none without one.
    public func queryFields(limits: FormLimits = .default) throws(FormViolation) -> FormFields {
        guard let query else { return FormFields() }
        return try FormFields(parsing: query, limits: limits)
    }

    /// Reads the query as a value, as ``FormDecoder`` does.
    ///
    /// - Throws: ``FormViolation``; ``HTTPError`` with 400 if it is no such value.
    public func decodeQuery<Value: Decodable>(as type: Value.Type = Value.self, limits: FormLimits = .default) throws -> Value {
        try decodeFields(type, queryFields(limits: limits), limits)
    }

    /// The fields of the body, which was delivered whole.
    ///
    /// - Throws: ``FormViolation``; ``HTTPError`` with 415 if the Content-Type is another.
    public func formFields(limits: FormLimits = .default) throws -> FormFields {
        try checkIsForm()
        return try FormFields(parsing: body, limits: limits)
    }

    /// Reads the body, which was delivered whole, as a value.
    ///
    /// - Throws: ``FormViolation``; ``HTTPError``: 415 if the Content-Type is another, 400 if it is no such value.
    public func decodeForm<Value: Decodable>(as type: Value.Type = Value.self, limits: FormLimits = .default) throws -> Value {
        try decodeFields(type, formFields(limits: limits), limits)
    }

    fileprivate func checkIsForm() throws {
        guard let type = field("content-type"), FieldParameters(type)?.word == "application/x-www-form-urlencoded" else {
            throw HTTPError(.unsupportedMediaType, "no form")
        }
    }
}

extension Request {
    /// The fields of the query; none without one.
    public func queryFields(limits: FormLimits = .default) throws -> FormFields {
        try withView { try $0.queryFields(limits: limits) }
    }

    /// Reads the query as a value, as ``FormDecoder`` does.
    ///
    /// - Throws: ``FormViolation``; ``HTTPError`` with 400 if it is no such value.
    public func decodeQuery<Value: Decodable>(as type: Value.Type = Value.self, limits: FormLimits = .default) throws -> Value {
        try decodeFields(type, queryFields(limits: limits), limits)
    }

    /// The fields of the body.
    ///
    /// - Throws: ``FormViolation``; ``HTTPError``: 415 if the Content-Type is another, 413 past the limit.
    public func formFields(limits: FormLimits = .default) async throws -> FormFields {
        try withView { try $0.checkIsForm() }
        let bytes = try await body.collect(upTo: limits.bytes)
        return try FormFields(parsing: bytes.span.bytes, limits: limits)
    }

    /// Reads the body as a value.
    ///
    /// - Throws: ``FormViolation``; ``HTTPError``: 415 if the Content-Type is another, 413 past the limit, 400 if it is no
    ///   such value.
    public func decodeForm<Value: Decodable>(as type: Value.Type = Value.self, limits: FormLimits = .default) async throws -> Value {
        try decodeFields(type, try await formFields(limits: limits), limits)
    }
}

private func decodeFields<Value: Decodable>(_ type: Value.Type, _ fields: FormFields, _ limits: FormLimits) throws -> Value {
    do { return try FormDecoder(limits: limits).decode(type, from: fields) } catch let error as DecodingError {
        throw HTTPError(.badRequest, "\(error)")
    }
}
