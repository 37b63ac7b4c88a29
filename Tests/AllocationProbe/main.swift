// Prints how often memory was allocated for 1,000 requests on one keep-alive connection, behind the first 100.
//
// usage: allocation-probe handler | loop | allocates

import AllocationCounter
import ConnectionHandling
import Glibc
import Reactor
import ReactorHTTP
import ReactorWire
import Synchronization

/// Says at the 100th and the 1,100th request how often its thread has allocated.
struct Counting: HTTPApplication {
    static let result = Atomic(0)
    let allocates: Bool
    var requests = 0
    var atFirst = 0

    init(allocates: Bool = false) { self.allocates = allocates }

    mutating func respond(to request: borrowing RequestView, with response: inout ResponseWriter) {
        requests += 1
        if requests == 100 { atFirst = allocation_count() }
        if requests == 1_100 { Self.result.store(allocation_count() - atFirst, ordering: .relaxed) }
        if allocates { _ = response.context }
        if request.path.equals("/plaintext") { return response.send(.ok, contentType: "text/plain", "Hello, World!") }
        response.sendStatus(.notFound)
    }
}

let request = Array("GET /plaintext HTTP/1.1\r\nHost: localhost\r\nUser-Agent: probe\r\nAccept: */*\r\n\r\n".utf8)

/// Without a driver: what the handler itself allocates, and the rules of connections.
func serveByHand() {
    let clock = DriverClock(now: MonotonicTime(nanoseconds: 1), unixSeconds: 784_111_777)
    var conversation = Conversation(
        handler: TypedHandlerBox(HTTPServerHandler(application: Counting())), peer: .loopback(port: 1), clock: clock,
        limits: ResolvedLimits(.default), descriptor: -1)
    conversation.connection.output = ByteQueue(capacity: 1_024)
    conversation.start()
    for _ in 0..<1_100 {
        conversation.receive(request.span.bytes)
        let count = conversation.connection.output.count
        conversation.connection.output.removeFirst(count)
        conversation.wrote()
    }
    conversation.close(.finished)
}

/// Over a socket, in a loop on this thread, with a client on another.
func serveInLoop(allocates: Bool) throws {
    let loop = try EventLoop()
    let listener = try loop.listen(on: "127.0.0.1:0") { HTTPServerHandler(application: Counting(allocates: allocates)) }
    guard let port = listener.address.port else { return }
    let handle = loop.handle
    try startThread {
        ask(port: port)
        handle.stop()
    }
    loop.run()
}

func ask(port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let connected = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    guard connected == 0 else { return }
    var answer = [UInt8](repeating: 0, count: 4_096)
    for _ in 0..<1_100 {
        send(descriptor, request, request.count, 0)
        // Each answer is shorter than a packet, and comes whole.
        if recv(descriptor, &answer, answer.count, 0) <= 0 { break }
    }
    close(descriptor)
}

Counting.result.store(-2, ordering: .relaxed)
switch CommandLine.arguments.dropFirst().first {
case "handler": serveByHand()
case "loop": try serveInLoop(allocates: false)
case "allocates": try serveInLoop(allocates: true)
default: print("usage: allocation-probe handler | loop | allocates")
}
print(allocation_count() < 0 ? -1 : Counting.result.load(ordering: .relaxed))
