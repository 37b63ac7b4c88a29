// Async handlers behind any architecture, for tests.
// usage: async-server ARCHITECTURE
import ConnectionHandling
import Foundation
import Reactor
import ReactorHTTP
import ReactorWeb
import ServerArchitectures

guard CommandLine.arguments.count == 2, let architecture = Architecture(rawValue: CommandLine.arguments[1]) else {
    FileHandle.standardError.write(Data("usage: async-server ARCHITECTURE\n".utf8))
    exit(64)
}

var router = Router()
router.get("/text") { _ in "hello" }
router.get("/process") { _ in "\(getpid())" }
router.get("/slow") { request -> String in
    await Task.yield()
    try await Task.sleep(for: .milliseconds(20))
    return "slow"
}
router.put("/count", .streamed(limit: 1 << 30)) { request -> String in
    var bytes = 0
    for try await piece in request.body { bytes += piece.count }
    return "\(bytes)"
}
router.get("/stream/{count}") { request -> Response in
    let count: Int = try request.parameter("count")
    return Response(contentType: "text/plain", .stream(length: count * 1_000) { writer in
        for _ in 0..<count { try await writer.write([UInt8](repeating: 120, count: 1_000)) }
    })
}
router.put("/echo", .streamed(limit: 1 << 30)) { request in
    Response(contentType: "application/octet-stream", .stream { writer in
        for try await piece in request.body { try await writer.write(piece) }
    })
}
router.get("/short") { _ in Response(contentType: "text/plain", .stream(length: 10) { try await $0.write("five!") }) }

let application = RoutedApplication(router, errors: { _, _ in })
var options = ServerOptions(architecture: architecture)
options.workers = 2
options.grace = .seconds(5)
let server = try Server(options, endpoints: [Endpoint(.loopback(port: 0)) { HTTPServerHandler(application: application) }])
try server.stop(on: .terminate, .interrupt)
for address in server.addresses { FileHandle.standardError.write(Data("listening on http://\(address)\n".utf8)) }
try server.run()
