import ReactorHTTP
import ReactorTesting
import ReactorWeb
import ReactorWire

extension FuzzTarget {
    /// A path behind its first slash, asked for by GET and by POST: the router finds the route that a reader would who
    /// tries them all.
    static let router = FuzzTarget(name: "router") { input in
        let path = "/" + String(decoding: input.bytes.filter { ByteClass.isTarget($0) && $0 != UInt8(ascii: "?") }, as: UTF8.self)
        for method in ["GET", "POST"] {
            let driver = TestDriver(HTTPServerHandler(application: Routes.application))
            driver.receive("\(method) \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
            let output: String = driver.takeOutput()
            let lines = output.split(separator: "\r\n", maxSplits: 1, omittingEmptySubsequences: false)
            let body = output.split(separator: "\r\n\r\n", maxSplits: 1).last ?? ""
            let status = lines[0].split(separator: " ")[1]
            expectEqual(status == "200" ? String(body) : String(status), Routes.expected(method, path), "\(method) \(path)")
        }
    }
}

private enum Routes {
    /// A route answers with its own path and what its parameters are.
    static let all: [(method: String, path: String)] = [
        ("GET", "/"), ("GET", "/a"), ("GET", "/a/"), ("GET", "/a/b"), ("POST", "/a/{x}"), ("GET", "/a/{x}/c"), ("GET", "/{x}/b"),
        ("POST", "/{x}"), ("GET", "/a/b/{rest...}"), ("GET", "/{x}/{y}/d/{rest...}"), ("POST", "/{x}/{rest...}"), ("GET", "/é/f"),
    ]

    static let application = {
        var router = Router()
        for (method, path) in all {
            let names = names(path)
            @Sendable func answer(_ request: borrowing RequestView, _ response: inout ResponseWriter) {
                var text = path
                for name in names { text += "\n\(name)=\(request.parameter(name) ?? "none")" }
                response.send(.ok, contentType: "text/plain", Array(text.utf8).span.bytes)
            }
            if method == "GET" { router.get(path) { answer($0, &$1) } } else { router.post(path) { answer($0, &$1) } }
        }
        return RoutedApplication(router)
    }()

    private static func names(_ path: String) -> [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { $0.filter { $0 != "{" && $0 != "}" && $0 != "." } }
    }

    /// The status, or the body of 200.
    static func expected(_ method: String, _ path: String) -> String {
        guard let whole = decoded(path), !whole.utf8.contains(0) else { return "400" }
        let sent = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let found = all.compactMap { route in match(route.path, sent).map { (route, $0) } }
        let ranked = found.filter { $0.0.method == method }.min { $0.1.ranks.lexicographicallyPrecedes($1.1.ranks) }
        guard let ranked else { return found.isEmpty ? "404" : "405" }
        return ([ranked.0.path] + zip(names(ranked.0.path), ranked.1.values).map { "\($0)=\($1)" }).joined(separator: "\n")
    }

    /// Foundation's `removingPercentEncoding` lets some bytes pass that are no UTF-8.
    private static func decoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = hexDigit(rest.popFirst() ?? 0), let low = hexDigit(rest.popFirst() ?? 0) else { return nil }
            bytes.append(high * 16 + low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// - Returns: nil if the path is another; how exact each segment is, 0 for a literal, and what stands for the parameters.
    private static func match(_ pattern: String, _ sent: [String]) -> (ranks: [Int], values: [String])? {
        var ranks: [Int] = []
        var values: [String] = []
        let parts = pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            guard index < sent.count else { return nil }
            if part.hasSuffix("...}") {
                let rest = sent[index...].joined(separator: "/")
                return (ranks + [2], values + [decoded(rest) ?? rest])
            }
            let segment = decoded(sent[index]) ?? sent[index]
            if part.hasPrefix("{") {
                if segment.isEmpty { return nil }
                ranks.append(1)
                values.append(segment)
            } else {
                // By bytes: strings are equal that are only written differently.
                if Array(part.utf8) != Array(segment.utf8) { return nil }
                ranks.append(0)
            }
        }
        return sent.count == parts.count ? (ranks, values) : nil
    }
}
