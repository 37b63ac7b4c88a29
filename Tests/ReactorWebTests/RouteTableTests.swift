import ReactorHTTP
import ReactorTesting
import ReactorWire
import Testing

@testable import ReactorWeb

/// What a table finds, as text: the pattern and the values of its parameters, as they were sent.
private func find(_ path: String, _ method: HTTPMethod = .get, in routes: [(HTTPMethods, String)]) -> String {
    let patterns = routes.map { (methods: $0.0, pattern: PathPattern($0.1)) }
    let bytes = Array(path.utf8)
    let match = RouteTable(patterns).match(bytes.span.bytes, method)
    switch match.found {
    case .route(let index):
        var text = patterns[index].pattern.text
        for number in 0..<match.count {
            text += " \(patterns[index].pattern.names[number])=\(bytes.span.bytes.slice(match.parameters[number].range).text)"
        }
        return text
    case .otherMethods(let methods): return "405 \(methods.names)"
    case .nothing: return "404"
    case .malformed: return "400"
    }
}

@Suite struct RouteTableTests {
    /// A literal before a parameter before the rest, segment by segment, in whatever order they were added.
    @Test(arguments: [
        ("/", "/"), ("/users", "/users"), ("/users/", "404"), ("/users/me", "/users/me"), ("/users/7", "/users/{id} id=7"),
        ("/users/me/posts", "/users/{id}/posts id=me"), ("/users/me/edit", "/users/me/edit"),
        ("/users/7/edit", "404"), ("/users//posts", "404"), ("/files/", "/files/{path...} path="), ("/files", "404"),
        ("/files/a", "/files/a"), ("/files/a/b", "/files/{path...} path=a/b"), ("/files//", "/files/{path...} path=/"),
        ("/files/x/info", "/files/{name}/info name=x"), ("/files/x/else", "/files/{path...} path=x/else"),
        ("/a/b/c", "/a/b/c"), ("/a/b/d", "/{x}/b/d x=a"), ("/a/x/c", "/a/{y}/c y=x"), ("/q/b/c", "404"), ("/q/b/d", "/{x}/b/d x=q"),
        ("/caf%C3%A9", "/café"), ("/caf%c3%a9", "/café"), ("/users/%6De", "/users/me"), ("/users/a%2Fb", "/users/{id} id=a%2Fb"),
        ("/users%2Fme", "404"), ("/users/%", "400"), ("/users/%2", "400"), ("/users/%zz", "400"), ("/users/%C3", "400"),
        ("/users/%C3/%A9", "400"), ("/users/%00", "400"), ("/users/%ED%A0%80", "400"), ("/nowhere/%FF", "400"), ("", "404"), ("*", "404"),
        ("/files/../x", "/files/{path...} path=../x"),
    ])
    func precedence(_ path: String, _ expected: String) {
        let patterns = [
            "/", "/users", "/users/me", "/users/{id}", "/users/{id}/posts", "/users/me/edit", "/files/{path...}", "/files/a",
            "/files/{name}/info", "/a/b/c", "/{x}/b/d", "/a/{y}/c", "/café",
        ]
        let routes = patterns.map { (HTTPMethods.get, $0) }
        #expect(find(path, in: routes) == expected)
        #expect(find(path, in: routes.reversed()) == expected)
    }

    @Test func methods() {
        let routes: [(HTTPMethods, String)] = [
            (.get, "/a"), (.post, "/a"), (.delete, "/{x}"), (.head, "/{x}"), (.put, "/{x...}"), (.options, "/b"), (.post, "/p"),
        ]
        #expect(find("/a", .head, in: routes) == "/a")
        #expect(find("/a", .delete, in: routes) == "/{x} x=a")
        #expect(find("/a", .put, in: routes) == "/{x...} x=a")
        #expect(find("/a", .patch, in: routes) == "405 GET, HEAD, POST, PUT, DELETE, OPTIONS")
        #expect(find("/a", .other, in: routes) == "405 GET, HEAD, POST, PUT, DELETE, OPTIONS")
        #expect(find("/a/b", .get, in: routes) == "405 PUT, OPTIONS")
        #expect(find("/b", .options, in: routes) == "/b")
        #expect(find("/p", .head, in: routes) == "/{x} x=p")
        #expect(find("/x", .get, in: routes) == "405 HEAD, PUT, DELETE, OPTIONS")
    }

    /// A path is no deeper for the table than its longest pattern, nor is a wide table slow to search.
    @Test func longPathsAndManyRoutes() {
        let wide = (0..<2_000).map { (HTTPMethods.get, "/r/\($0)/{x}/end") }
        #expect(find("/r/1234/v/end", in: wide) == "/r/1234/{x}/end x=v")
        #expect(find("/r/%31234/v/end", in: wide) == "/r/1234/{x}/end x=v")
        #expect(find("/r/2000/v/end", in: wide) == "404")
        let long = String(repeating: "/a", count: 30_000)
        #expect(find(long, in: [(.get, "/{x...}")]) == "/{x...} x=\(long.dropFirst())")
        #expect(find(long, in: [(.get, "/{x}/a")]) == "404")
        #expect(find(String(repeating: "/", count: 60_000), in: [(.get, "/a")]) == "404")
        // Every way through this tree fails only at its end.
        let tangle = (0..<1_024).map { number in
            (HTTPMethods.get, "/" + (0..<10).map { number >> $0 & 1 == 0 ? "a" : "{p\($0)}" }.joined(separator: "/") + "/end")
        }
        #expect(find(String(repeating: "/a", count: 10) + "/else", in: tangle) == "404")
        #expect(find("/x" + String(repeating: "/a", count: 9) + "/end", in: tangle).hasPrefix("/{p0}/a/"))
    }

    /// Against a matcher that anybody can read.
    @Test func anyTableFindsWhatAPlainSearchFinds() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let names = ["a", "b", "ab", "", "é"]
        for _ in 0..<100 {
            var routes: [(HTTPMethods, String)] = []
            var shapes: Set<String> = []
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                var segments: [String] = []
                for index in 0..<Int.random(in: 1...4, using: &random) {
                    let kind = Int.random(in: 0..<6, using: &random)
                    segments.append(kind == 0 ? "{p\(index)}" : names.randomElement(using: &random) ?? "a")
                }
                if Int.random(in: 0..<5, using: &random) == 0 { segments.append("{rest...}") }
                let method: HTTPMethods = Bool.random(using: &random) ? .get : .post
                let path = "/" + segments.joined(separator: "/")
                let shape = "\(method.rawValue)" + segments.map { $0.hasPrefix("{rest") ? "/{r}" : $0.hasPrefix("{") ? "/{}" : "/" + $0 }.joined()
                if shapes.insert(shape).inserted { routes.append((method, path)) }
            }
            for _ in 0..<40 {
                let sent = ["a", "b", "ab", "", "%C3%A9", "%61", "c"]
                let path = (0..<Int.random(in: 1...5, using: &random)).map { _ in "/" + (sent.randomElement(using: &random) ?? "") }.joined()
                let method: HTTPMethod = Bool.random(using: &random) ? .get : .post
                #expect(find(path, method, in: routes) == plainFind(path, method, in: routes), "seed \(seed): \(path) in \(routes.map(\.1))")
            }
        }
    }

    private func plainFind(_ path: String, _ method: HTTPMethod, in routes: [(HTTPMethods, String)]) -> String {
        let sent = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        var best: (ranks: [Int], text: String)?
        var others: HTTPMethods = []
        for (methods, pattern) in routes {
            let parts = pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            var (ranks, text, matches): ([Int], String, Bool) = ([], pattern, true)
            for (index, part) in parts.enumerated() where matches {
                guard index < sent.count else { matches = false; continue }
                if part.hasSuffix("...}") {
                    text += " rest=" + sent[index...].joined(separator: "/")
                    ranks.append(2)
                } else if part.hasPrefix("{") {
                    matches = !sent[index].isEmpty
                    text += " \(part.dropFirst().dropLast())=\(sent[index])"
                    ranks.append(1)
                } else {
                    matches = sent[index].replacing("%C3%A9", with: "é").replacing("%61", with: "a") == part
                    ranks.append(0)
                }
            }
            if !matches || (ranks.last != 2 && parts.count != sent.count) { continue }
            let wanted: HTTPMethods = method == .get ? .get : .post
            if !methods.contains(wanted) {
                others.formUnion(RouteTable.allowed(methods))
            } else if best.map({ ranks.lexicographicallyPrecedes($0.ranks) }) ?? true {
                best = (ranks, text)
            }
        }
        return best?.text ?? (others.isEmpty ? "404" : "405 \(others.names)")
    }

    @Test func decoding() {
        func decoded(_ text: String) -> String { PercentEncoding.decode(Array(text.utf8).span.bytes) }
        #expect(decoded("a%20b%2Fc") == "a b/c")
        #expect(decoded("%C3%A9+") == "é+")
        #expect(decoded("%2525") == "%25")
    }

    /// Every text is taken for what it is, encoded or not, and nothing that is none is.
    @Test(arguments: [
        ([0xC3, 0xA9], true), ([0xC0, 0x80], false), ([0xE0, 0x80, 0x80], false), ([0xE0, 0xA0, 0x80], true), ([0xED, 0x9F, 0xBF], true),
        ([0xED, 0xA0, 0x80], false), ([0xF0, 0x8F, 0xBF, 0xBF], false), ([0xF0, 0x90, 0x80, 0x80], true), ([0xF4, 0x8F, 0xBF, 0xBF], true),
        ([0xF4, 0x90, 0x80, 0x80], false), ([0xF5, 0x80, 0x80, 0x80], false), ([0x80], false), ([0xE2, 0x82], false), ([0xEF, 0xBF, 0xBD], true),
    ] as [([UInt8], Bool)])
    func encodedTextIsUTF8(_ bytes: [UInt8], _ isText: Bool) {
        let encoded = bytes.map { "%" + String($0, radix: 16, uppercase: true) }.joined()
        #expect(PercentEncoding.isWellFormed(Array(encoded.utf8).span.bytes) == isText)
        #expect((String(validating: bytes, as: UTF8.self) != nil) == isText)
    }
}
