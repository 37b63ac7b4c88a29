import ReactorWire

// For what measures the parser and for what tries to break it: heads with no connection around them.

private let defaultLimits = ResolvedHTTPLimits.resolving(.default)

extension RequestHead {
    /// Reads the head that `bytes` begin with.
    ///
    /// - Returns: false if it is not whole, or must be refused.
    package mutating func readAlone(_ bytes: RawSpan) -> Bool {
        var scanner = HeadScanner()
        do throws(HTTPViolation) {
            return try read(bytes, with: &scanner, limits: defaultLimits)
        } catch {
            return false
        }
    }
}

extension RequestView {
    /// The request that ``RequestHead/readAlone(_:)`` read from the same bytes.
    @_lifetime(copy bytes, borrow head)
    package init(reading head: borrowing RequestHead, of bytes: RawSpan) {
        self.init(head: head, bytes: bytes)
    }
}
