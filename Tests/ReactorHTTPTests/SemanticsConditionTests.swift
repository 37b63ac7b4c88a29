import ReactorHTTP
import ReactorWire
import Testing

@Suite struct SemanticsEntityTagTests {
    /// RFC 9110 section 8.8.3.2.
    @Test(arguments: [
        ("W/\"1\"", "W/\"1\"", false, true), ("W/\"1\"", "W/\"2\"", false, false), ("W/\"1\"", "\"1\"", false, true),
        ("\"1\"", "\"1\"", true, true), ("\"1\"", "\"11\"", false, false),
    ])
    func comparison(_ one: String, _ other: String, _ strongly: Bool, _ weakly: Bool) throws {
        let first = try #require(span(one) { EntityTag($0) })
        let second = try #require(span(other) { EntityTag($0) })
        #expect(first.matches(second, .strong) == strongly)
        #expect(first.matches(second, .weak) == weakly)
        #expect(second.matches(first, .strong) == strongly)
    }

    @Test(arguments: ["\"xyzzy\"", "W/\"xyzzy\"", "\"\"", "\"a,b\"", "\"W/\"", "\"\u{e4}\""])
    func tags(_ text: String) throws {
        let tag = try #require(span(text) { EntityTag($0) })
        #expect(tag.description == text)
        #expect(tag.isWeak == text.hasPrefix("W/"))
    }

    @Test(arguments: ["", "xyzzy", "\"xyzzy", "xyzzy\"", "w/\"1\"", "W\"1\"", "\"a b\"", "\"a\"b\"", "\"1\" ", "W/", "\"", "\"a\u{7F}\""])
    func whatIsNoTag(_ text: String) { #expect(span(text) { EntityTag($0) } == nil) }

    @Test func tagsAreMade() {
        #expect(EntityTag("abc").description == "\"abc\"")
        #expect(EntityTag("abc", isWeak: true).description == "W/\"abc\"")
    }

    @Test(arguments: [
        ("\"a\"", true), ("\"b\", \"a\"", true), ("\"b\",,  ,\"a\" ", true), ("W/\"a\"", true), (" \"a\"", true), ("\"b\"\"a\"", false),
        ("\"b\"", false), ("", false), (",", false), ("a", false), ("b, \"a\"", false), ("\"a,\"", false), ("\"b\" x, \"a\"", false),
    ])
    func lists(_ field: String, _ found: Bool) {
        #expect(span(field) { field in span("\"a\"") { EntityTag.list(field, has: $0, .weak) } } == found)
    }
}

@Suite struct SemanticsPreconditionTests {
    private static let now: Int64 = 784_111_777 + 3_600
    static let before = "Sun, 06 Nov 1994 08:49:36 GMT"
    static let same = "Sun, 06 Nov 1994 08:49:37 GMT"
    static let after = "Sun, 06 Nov 1994 08:49:38 GMT"

    private func read(
        _ fields: [(String, String)], tag: String = "\"a\"", modified: Int64? = 784_111_777, exists: Bool = true, now: Int64 = now
    ) -> Preconditions {
        var conditions = Preconditions()
        for (name, value) in fields {
            span(name) { name in
                span(value) { value in
                    span(tag) { tag in
                        let current = exists ? Validators(entityTag: tag, lastModified: modified) : Validators()
                        conditions.read(name, value, against: current, now: now)
                    }
                }
            }
        }
        return conditions
    }

    typealias Case = (fields: [(String, String)], get: Preconditions.Outcome, put: Preconditions.Outcome)

    /// Each step of RFC 9110 section 13.2.2, and how they hide each other.
    static let table: [Case] = [
        ([], .proceed, .proceed),
        ([("Host", "a"), ("Ix-Match", "b"), ("If", "x"), ("If-None-Matchx", "*")], .proceed, .proceed),
        ([("If-Match", "\"a\"")], .proceed, .proceed),
        ([("If-Match", "*")], .proceed, .proceed),
        ([("If-Match", "\"b\"")], .failed, .failed),
        ([("If-Match", "W/\"a\"")], .failed, .failed),
        ([("If-Match", "garbage")], .failed, .failed),
        ([("If-Match", "\"b\", \"c\""), ("if-match", "\"a\"")], .proceed, .proceed),
        ([("If-Unmodified-Since", before)], .failed, .failed),
        ([("If-Unmodified-Since", same)], .proceed, .proceed),
        ([("If-Unmodified-Since", after)], .proceed, .proceed),
        ([("If-Unmodified-Since", "yesterday")], .proceed, .proceed),
        ([("If-Unmodified-Since", before), ("If-Unmodified-Since", before)], .proceed, .proceed),
        ([("If-Match", "\"a\""), ("If-Unmodified-Since", before)], .proceed, .proceed),
        ([("If-None-Match", "\"a\"")], .notModified, .failed),
        ([("If-None-Match", "W/\"a\"")], .notModified, .failed),
        ([("IF-NONE-MATCH", "*")], .notModified, .failed),
        ([("If-None-Match", "\"b\"")], .proceed, .proceed),
        ([("If-None-Match", "\"b\""), ("If-None-Match", "\"a\"")], .notModified, .failed),
        ([("If-Modified-Since", before)], .proceed, .proceed),
        ([("If-Modified-Since", same)], .notModified, .proceed),
        ([("If-Modified-Since", after)], .notModified, .proceed),
        ([("If-Modified-Since", "garbage")], .proceed, .proceed),
        ([("If-Modified-Since", after), ("If-Modified-Since", after)], .proceed, .proceed),
        ([("If-None-Match", "\"b\""), ("If-Modified-Since", after)], .proceed, .proceed),
        ([("If-None-Match", "\"a\""), ("If-Modified-Since", before)], .notModified, .failed),
        ([("If-Match", "\"a\""), ("If-None-Match", "\"a\"")], .notModified, .failed),
        ([("If-Match", "\"b\""), ("If-None-Match", "\"a\"")], .failed, .failed),
        ([("If-Unmodified-Since", same), ("If-Modified-Since", same)], .notModified, .proceed),
    ]

    @Test(arguments: table.indices) func theOrderOfTheConditions(_ index: Int) {
        let (fields, get, put) = Self.table[index]
        let conditions = read(fields)
        #expect(conditions.outcome(of: .get) == get, "\(fields)")
        #expect(conditions.outcome(of: .head) == get, "\(fields)")
        #expect(conditions.outcome(of: .put) == put, "\(fields)")
    }

    @Test func whatIsNotThere() {
        #expect(read([("If-Match", "*")], exists: false).outcome(of: .put) == .failed)
        #expect(read([("If-None-Match", "*")], exists: false).outcome(of: .put) == .proceed)
        #expect(read([("If-None-Match", "\"\"")], exists: false).outcome(of: .get) == .proceed)
    }

    @Test func withoutValidators() {
        let dates = [("If-Modified-Since", Self.after), ("If-Unmodified-Since", Self.before)]
        #expect(read(dates, modified: nil).outcome(of: .get) == .proceed)
        #expect(read([("If-None-Match", "\"\"")], tag: "").outcome(of: .get) == .proceed)
        #expect(read([("If-Match", "\"a\"")], tag: "").outcome(of: .get) == .failed)
    }

    @Test(arguments: [
        ("\"a\"", true), ("W/\"a\"", false), ("\"b\"", false), ("garbage", false), ("", false), ("*", false),
        (same, true), (before, false), (after, false), ("\"a\", \"b\"", false),
    ])
    func ifRange(_ value: String, _ allows: Bool) {
        #expect(read([("If-Range", value)]).allowsRange == allows)
        #expect(read([]).allowsRange)
    }

    @Test func aWeakTagAllowsNoRange() {
        #expect(!read([("If-Range", "W/\"a\"")], tag: "W/\"a\"").allowsRange)
        #expect(!read([("If-Range", "\"a\"")], tag: "W/\"a\"").allowsRange)
    }

    /// The file could change once more in the same second (RFC 9110 section 8.8.2.2).
    @Test func aDateIsStrongWhenItsSecondIsOver() {
        #expect(!read([("If-Range", Self.same)], now: 784_111_777).allowsRange)
        #expect(read([("If-Range", Self.same)], now: 784_111_778).allowsRange)
    }
}
