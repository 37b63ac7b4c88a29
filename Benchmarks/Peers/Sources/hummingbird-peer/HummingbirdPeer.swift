// The sample site of the benchmarks on Hummingbird, one event loop, as its documentation has it.
// usage: hummingbird-peer PORT
//   0: any free port. The port is printed; SIGTERM ends it.
import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOPosix

@main
enum HummingbirdPeer {
    struct Message: ResponseEncodable { var message: String }

    static func main() async throws {
        guard CommandLine.arguments.count == 2, let port = Int(CommandLine.arguments[1]) else {
            FileHandle.standardError.write(Data("usage: hummingbird-peer PORT\n".utf8))
            exit(64)
        }
        let router = Router()
        router.get("/plaintext") { _, _ in "Hello, World!" }
        router.get("/json") { _, _ in Message(message: "Hello, World!") }

        var logger = Logger(label: "hummingbird-peer")
        logger.logLevel = .critical
        let site = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port), backlog: 4096),
            onServerRunning: { channel in
                print("listening on http://127.0.0.1:\(channel.localAddress?.port ?? 0)")
                fflush(nil)
            },
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup(numberOfThreads: 1)),
            logger: logger)
        try await site.runService()
    }
}
