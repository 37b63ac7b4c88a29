public import ReactorHTTP
public import ReactorWire

/// The cookies in one Cookie field, one after the other, lent (RFC 6265bis section 5.8.3 says what browsers send).
///
/// ```swift
/// var cookies = CookieField(value)
/// while let cookie = cookies.next() { … cookie.name … cookie.value … }
/// ```
public struct CookieField: ~Escapable {
    private let bytes: RawSpan
    private var offset = 0

    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) { self.bytes = bytes }

    /// A cookie as it was sent: quotes belong to the value.
    public struct Cookie: ~Escapable {
        public let name: RawSpan
        public let value: RawSpan

        @_lifetime(copy name, copy value)
        init(name: RawSpan, value: RawSpan) {
            self.name = name
            self.value = value
        }
    }

    /// The next cookie; nil behind the last. What has no `=`, and no name before it, is passed over: it can be none that
    /// ``SetCookie`` has set.
    @_lifetime(copy self)
    public mutating func next() -> Cookie? {
        while offset < bytes.byteCount {
            let end = bytes.firstIndex(of: UInt8(ascii: ";"), from: offset) ?? bytes.byteCount
            let pair = bytes.slice(offset..<end).trimmed
            offset = min(end + 1, bytes.byteCount)
            guard let equals = pair.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = pair.slice(0..<equals).trimmed
            if name.byteCount == 0 { continue }
            return Cookie(name: name, value: pair.slice(equals + 1..<pair.byteCount).trimmed)
        }
        return nil
    }
}

extension RawSpan {
    /// Without the spaces and tabs around it.
    package var trimmed: RawSpan {
        @_lifetime(copy self)
        get {
            var start = 0
            var end = byteCount
            while start < end, ByteClass.isSpace(self[start]) { start += 1 }
            while end > start, ByteClass.isSpace(self[end - 1]) { end -= 1 }
            return slice(start..<end)
        }
    }

    package func equals(_ bytes: [UInt8]) -> Bool {
        guard byteCount == bytes.count else { return false }
        for index in 0..<bytes.count where self[index] != bytes[index] { return false }
        return true
    }
}

extension RequestView {
    /// The value of the first cookie of that name, lent; nil if there is none. Allocates nothing.
    @_lifetime(copy self)
    public func cookie(_ name: StaticString) -> RawSpan? {
        for index in 0..<fieldCount where fieldName(index).equalsIgnoringCase("cookie") {
            var cookies = CookieField(fieldValue(index))
            while let cookie = cookies.next() {
                if cookie.name.equals(name) { return cookie.value }
            }
        }
        return nil
    }

    /// As ``cookie(_:)``, for a name that is known at run time.
    @_lifetime(copy self)
    package func cookie(named name: [UInt8]) -> RawSpan? {
        for index in 0..<fieldCount where fieldName(index).equalsIgnoringCase("cookie") {
            var cookies = CookieField(fieldValue(index))
            while let cookie = cookies.next() {
                if cookie.name.equals(name) { return cookie.value }
            }
        }
        return nil
    }

    /// All cookies, in the order sent.
    public func cookies(limits: CookieLimits = .default) throws(CookieViolation) -> Cookies {
        var cookies = Cookies(limits: limits)
        for index in 0..<fieldCount where fieldName(index).equalsIgnoringCase("cookie") {
            try cookies.add(fieldValue(index))
        }
        return cookies
    }
}
