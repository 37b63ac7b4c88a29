import ReactorWire

/// What is known of the representation that a request selects, for its conditions to be compared with.
public struct Validators: ~Escapable {
    let entityTag: RawSpan
    let lastModified: Int64?
    let exists: Bool

    /// - Parameters:
    ///   - entityTag: as the ETag field has it; empty if there is none.
    ///   - lastModified: seconds since 1970, if known.
    @_lifetime(copy entityTag)
    public init(entityTag: RawSpan, lastModified: Int64?) {
        self.entityTag = entityTag
        self.lastModified = lastModified
        exists = true
    }

    /// There is no representation: what is put there will be the first.
    @_lifetime(immortal)
    public init() {
        entityTag = RawSpan()
        lastModified = nil
        exists = false
    }
}

/// The conditions of a request, read field by field (RFC 9110 section 13).
public struct Preconditions: Sendable {
    public enum Outcome: Sendable {
        /// Go on: perform the method.
        case proceed
        /// 304: the client has it already.
        case notModified
        /// 412.
        case failed
    }

    private enum Verdict { case absent, holds, fails }

    private var ifMatch = Verdict.absent
    private var ifNoneMatch = Verdict.absent
    private var ifUnmodifiedSince = Verdict.absent
    private var ifModifiedSince = Verdict.absent
    private var ifRange = Verdict.absent
    /// How often each stood there: a second one makes both void.
    private var dates: (unmodified: Int, modified: Int) = (0, 0)

    public init() {}

    /// Reads a field, of whatever name.
    ///
    /// - Parameter now: seconds since 1970.
    public mutating func read(_ name: RawSpan, _ value: RawSpan, against current: borrowing Validators, now: Int64) {
        // All names that count begin alike: the others cost one comparison.
        guard name.byteCount >= 8, name[0] | 0x20 == UInt8(ascii: "i"), name[2] == UInt8(ascii: "-") else { return }
        if name.equalsIgnoringCase("if-none-match") {
            // The lines of a list are one list (RFC 9110 section 5.3).
            if ifNoneMatch != .fails { ifNoneMatch = Self.matches(value, current, .weak) ? .fails : .holds }
        } else if name.equalsIgnoringCase("if-match") {
            if ifMatch != .holds { ifMatch = Self.matches(value, current, .strong) ? .holds : .fails }
        } else if name.equalsIgnoringCase("if-modified-since") {
            dates.modified += 1
            ifModifiedSince = compare(value, current, now, count: dates.modified) { $0 > $1 }
        } else if name.equalsIgnoringCase("if-unmodified-since") {
            dates.unmodified += 1
            ifUnmodifiedSince = compare(value, current, now, count: dates.unmodified) { $0 <= $1 }
        } else if name.equalsIgnoringCase("if-range") {
            ifRange = Self.isSame(value, current, now) ? .holds : .fails
        }
    }

    /// What the conditions lead to, in the order of RFC 9110 section 13.2.2.
    public func outcome(of method: HTTPMethod) -> Outcome {
        if ifMatch != .absent {
            if ifMatch == .fails { return .failed }
        } else if ifUnmodifiedSince == .fails {
            return .failed
        }
        let reads = method == .get || method == .head
        if ifNoneMatch != .absent {
            if ifNoneMatch == .fails { return reads ? .notModified : .failed }
        } else if reads && ifModifiedSince == .fails {
            return .notModified
        }
        return .proceed
    }

    /// A Range field is to be heeded: there is no If-Range, or it holds.
    public var allowsRange: Bool { ifRange != .fails }

    private static func matches(_ field: RawSpan, _ current: borrowing Validators, _ comparison: EntityTag.Comparison) -> Bool {
        if field.equals("*") { return current.exists }
        return current.entityTag.byteCount > 0 && EntityTag.list(field, has: current.entityTag, comparison)
    }

    /// Void if it is no date, if it stands twice, or if nothing is known to compare it with
    /// (RFC 9110 sections 13.1.3 and 13.1.4).
    private func compare(
        _ field: RawSpan, _ current: borrowing Validators, _ now: Int64, count: Int, _ holds: (Int64, Int64) -> Bool
    ) -> Verdict {
        guard count == 1, let date = HTTPDate.parse(field, now: now), let lastModified = current.lastModified else { return .absent }
        return holds(lastModified, date) ? .holds : .fails
    }

    /// By the strong comparison. A date is strong once the second that it names is over (RFC 9110 section 8.8.2.2).
    private static func isSame(_ field: RawSpan, _ current: borrowing Validators, _ now: Int64) -> Bool {
        if let date = HTTPDate.parse(field, now: now) { return date == current.lastModified && date < now }
        guard EntityTag(field) != nil else { return false }
        return EntityTag.matches(field, current.entityTag, .strong)
    }
}
