import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// Answers `/plaintext` and `/json` on one connection.
final class Site: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private struct Message: Encodable { var message: String }

    private static let plaintext = ByteBuffer(string: "Hello, World!")
    private static let notFound = ByteBuffer(string: "Not Found\n")

    private let date: DateText
    private let encoder = JSONEncoder()
    private var head: HTTPRequestHead?

    init(date: DateText) { self.date = date }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head = head.take() else { return }
            answer(head, context: context)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func answer(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        switch head.uri {
        case "/plaintext":
            send(.ok, "text/plain", Self.plaintext, to: head, context: context)
        case "/json":
            do {
                let body = try encoder.encodeAsByteBuffer(Message(message: "Hello, World!"), allocator: context.channel.allocator)
                send(.ok, "application/json", body, to: head, context: context)
            } catch {
                context.close(promise: nil)
            }
        default:
            send(.notFound, "text/plain", Self.notFound, to: head, context: context)
        }
    }

    private func send(
        _ status: HTTPResponseStatus, _ type: String, _ body: ByteBuffer, to request: HTTPRequestHead,
        context: ChannelHandlerContext
    ) {
        var headers = HTTPHeaders()
        headers.reserveCapacity(4)
        headers.add(name: "Content-Type", value: type)
        headers.add(name: "Content-Length", value: String(body.readableBytes))
        headers.add(name: "Date", value: date.now)
        if !request.isKeepAlive { headers.add(name: "Connection", value: "close") }
        let head = HTTPResponseHead(version: request.version, status: status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        let end = wrapOutboundOut(.end(nil))
        if request.isKeepAlive { return context.write(end, promise: nil) }
        let context = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.value.writeAndFlush(end).whenComplete { _ in context.value.close(promise: nil) }
    }
}

/// The value of Date, made once a second and shared by the connections of the loop.
final class DateText {
    private var second: time_t = -1
    private var text = ""

    var now: String {
        let current = time(nil)
        if current != second {
            second = current
            var seconds = current
            var parts = tm()
            gmtime_r(&seconds, &parts)
            var bytes = [UInt8](repeating: 0, count: 30)
            let length = bytes.withUnsafeMutableBytes { strftime($0.baseAddress, $0.count, "%a, %d %b %Y %H:%M:%S GMT", &parts) }
            text = String(decoding: bytes[..<length], as: UTF8.self)
        }
        return text
    }
}
