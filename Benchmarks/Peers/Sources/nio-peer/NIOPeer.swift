// The sample site of the benchmarks on SwiftNIO, one event loop, written as NIO's documentation has it: parts of a
// response are written as they are made, and flushed once for all the requests of a read.
// usage: nio-peer PORT
//   0: any free port. The port is printed; SIGTERM ends it.
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOPosix

@main
enum NIOPeer {
    static func main() throws {
        guard CommandLine.arguments.count == 2, let port = Int(CommandLine.arguments[1]) else {
            FileHandle.standardError.write(Data("usage: nio-peer PORT\n".utf8))
            exit(64)
        }
        // Before there are other threads, which inherit this: the signal is waited for instead.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &signals, nil)

        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let date = NIOLoopBoundBox.makeBoxSendingValue(DateText(), eventLoop: group.next())
        let channel = try ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(Site(date: date.value))
                }
            }
            .bind(host: "127.0.0.1", port: port)
            .wait()
        print("listening on http://127.0.0.1:\(channel.localAddress?.port ?? 0)")
        fflush(nil)

        var signal: Int32 = 0
        sigwait(&signals, &signal)
        try channel.close().wait()
        try group.syncShutdownGracefully()
    }
}
