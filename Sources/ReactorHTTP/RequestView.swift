import ReactorWire

/// A request, lent for the length of the call: copy what must live longer.
public struct RequestView: ~Escapable {
    /// The head and the body behind it.
    let bytes: RawSpan
    let positions: Span<FieldPosition>
    let layout: RequestLayout
    /// Of the route that was found for it.
    var parameterNames: Span<String>
    var parameters: Span<PathParameter>

    @_lifetime(copy bytes, borrow head)
    @usableFromInline init(head: borrowing RequestHead, bytes: RawSpan) {
        self.bytes = bytes
        positions = head.positions.span.extracting(first: head.fieldCount)
        layout = RequestLayout(head)
        parameterNames = unsafe _overrideLifetime(Span<String>(), copying: bytes)
        parameters = unsafe _overrideLifetime(Span<PathParameter>(), copying: bytes)
    }

    public var method: HTTPMethod { layout.method }
    /// As the access log has it. No handler need know.
    package var minorVersion: UInt8 { layout.minorVersion }

    /// The method as it was sent.
    public var methodName: RawSpan {
        @_lifetime(copy self) get { bytes.slice(layout.nameRange) }
    }

    /// The path as it was sent, percent-encoding and all: `/…`, or `*` with OPTIONS.
    public var path: RawSpan {
        @_lifetime(copy self) get { bytes.slice(layout.target.path) }
    }

    /// What stands behind the `?`, as it was sent; nil without one.
    public var query: RawSpan? {
        @_lifetime(copy self) get {
            guard let query = layout.target.query else { return nil }
            return bytes.slice(query)
        }
    }

    /// The host, with its port if one was given, that the request is for; nil only in HTTP/1.0.
    public var authority: RawSpan? {
        @_lifetime(copy self) get {
            guard let range = layout.target.authority ?? layout.host else { return nil }
            return bytes.slice(range)
        }
    }

    /// The body, whole and without its transfer coding; empty if there was none, or if it is streamed.
    public var body: RawSpan {
        @_lifetime(copy self) get { bytes.slice(layout.headLength..<bytes.byteCount) }
    }

    /// The head, for a writer that lives as long as this view.
    @usableFromInline var lentHead: UnsafeRawBufferPointer {
        bytes.withUnsafeBytes { UnsafeRawBufferPointer(rebasing: $0[..<layout.headLength]) }
    }

    /// The head as it came.
    package var headBytes: RawSpan {
        @_lifetime(copy self) get { bytes.slice(0..<layout.headLength) }
    }

    /// The same request with another body: what stands in `bytes` behind a copy of ``headBytes``.
    @_lifetime(copy self, copy bytes)
    package func replacingBody(in bytes: RawSpan) -> RequestView {
        precondition(bytes.byteCount >= layout.headLength, "the head comes first")
        return RequestView(self, bytes: bytes)
    }

    @_lifetime(copy other, copy bytes)
    private init(_ other: borrowing RequestView, bytes: RawSpan) {
        self.bytes = bytes
        positions = other.positions
        layout = other.layout
        parameterNames = other.parameterNames
        parameters = other.parameters
    }

    /// Of an absolute target; nil for the others.
    var scheme: String? {
        guard let authority = layout.target.authority else { return nil }
        return bytes[authority.lowerBound - 4] | 0x20 == UInt8(ascii: "s") ? "https" : "http"
    }

    // MARK: Fields

    /// The value of the first field of that name; `lowercaseName` must be written in lower case.
    @_lifetime(copy self)
    public func field(_ lowercaseName: StaticString) -> RawSpan? {
        for index in 0..<positions.count {
            let position = positions[index]
            if bytes.slice(position.name).equalsIgnoringCase(lowercaseName) { return bytes.slice(position.value) }
        }
        return nil
    }

    /// How many field lines there are: visit them by ``fieldName(_:)`` and ``fieldValue(_:)``, in the order sent.
    public var fieldCount: Int { positions.count }

    @_lifetime(copy self)
    public func fieldName(_ index: Int) -> RawSpan { bytes.slice(positions[index].name) }

    /// The value without the space around it.
    @_lifetime(copy self)
    public func fieldValue(_ index: Int) -> RawSpan { bytes.slice(positions[index].value) }
}
