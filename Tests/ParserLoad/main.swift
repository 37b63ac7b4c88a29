// Reads request heads with the server's own parser and nothing around it, for the benchmarks, which count instructions.
// usage: parser-load ROUNDS FILE ...
//   reads the request in each file so many times. Prints what was found in all, so that nothing is read in vain and that
//   other parsers can be held to the same.
import Foundation
import ReactorHTTP
import ReactorWire

guard CommandLine.arguments.count > 2, let rounds = Int(CommandLine.arguments[1]), rounds >= 0 else {
    FileHandle.standardError.write(Data("usage: parser-load ROUNDS FILE ...\n".utf8))
    exit(64)
}

/// What a server knows of a request when its head is read, added up.
struct Found {
    var requests = 0
    var fields = 0
    /// Of methods, paths, queries, names and values.
    var bytes = 0
    var bodies = 0
    var keptAlive = 0

    mutating func read(_ request: RawSpan) -> Bool {
        var head = RequestHead()
        guard head.readAlone(request) else { return false }
        let view = RequestView(reading: head, of: request)
        requests += 1
        fields += view.fieldCount
        bytes += view.methodName.byteCount + view.path.byteCount
        if let query = view.query { bytes += query.byteCount }
        for index in 0..<view.fieldCount {
            bytes += view.fieldName(index).byteCount + view.fieldValue(index).byteCount
        }
        bodies += head.contentLength ?? 0
        if head.allowsKeepAlive { keptAlive += 1 }
        return true
    }
}

/// Not at top level, where each use of a variable is checked for exclusive access.
func readAll(_ rounds: Int, _ paths: some Sequence<String>) throws -> Found {
    var found = Found()
    for path in paths {
        let file = [UInt8](try Data(contentsOf: URL(filePath: path)))
        for _ in 0..<rounds {
            guard found.read(file.span.bytes) else {
                FileHandle.standardError.write(Data("parser-load: \(path) is no request\n".utf8))
                exit(1)
            }
        }
    }
    return found
}

let found = try readAll(rounds, CommandLine.arguments.dropFirst(2))
print("requests=\(found.requests) fields=\(found.fields) bytes=\(found.bytes) bodies=\(found.bodies) kept-alive=\(found.keptAlive)")
