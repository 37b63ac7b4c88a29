import ReactorWire

/// What the client would have, by its Accept fields (RFC 9110 section 12.5).
extension RequestView {
    /// Which of the media types the client wants most, the first among equals; nil if it takes none (406).
    public func preferredMediaType(among types: [StaticString]) -> Int? {
        best(of: types.count) { index in
            types[index].withUTF8Buffer { buffer in
                let type = RawSpan(_unsafeBytes: UnsafeRawBufferPointer(buffer))
                return acceptance("accept") { $0.readAccept($1, for: type) }.value
            }
        }
    }

    /// Which of the languages the client wants most, the first among equals; nil if it takes none.
    public func preferredLanguage(among tags: [StaticString]) -> Int? {
        best(of: tags.count) { index in
            tags[index].withUTF8Buffer { buffer in
                let tag = RawSpan(_unsafeBytes: UnsafeRawBufferPointer(buffer))
                return acceptance("accept-language") { $0.readAcceptLanguage($1, for: tag) }.value
            }
        }
    }

    /// How much the client wants a content coding, in thousandths; 0 if it has not named it.
    public func acceptsEncoding(_ coding: StaticString) -> Int {
        guard field("accept-encoding") != nil else { return 0 }
        return acceptance("accept-encoding") { $0.readAcceptEncoding($1, for: coding) }.value
    }

    /// The lines of a list are one list (RFC 9110 section 5.3).
    private func acceptance(_ lowercaseName: StaticString, _ read: (inout Acceptance, RawSpan) -> Void) -> Acceptance {
        var acceptance = Acceptance()
        for index in 0..<fieldCount where fieldName(index).equalsIgnoringCase(lowercaseName) { read(&acceptance, fieldValue(index)) }
        return acceptance
    }

    private func best(of count: Int, _ weight: (Int) -> Int) -> Int? {
        var best: (index: Int, weight: Int)?
        for index in 0..<count {
            let weight = weight(index)
            if weight > best?.weight ?? 0 { best = (index, weight) }
        }
        return best?.index
    }
}
