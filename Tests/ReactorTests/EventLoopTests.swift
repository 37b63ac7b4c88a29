import ConnectionHandling
import Glibc
@testable import Reactor
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(40))) struct EventLoopTests {
    /// Those that this libev has, and this kernel grants.
    private static let backends = EventLoop.Backend.allCases.filter { (try? EventLoop(backend: $0)) != nil }

    @Test func theUsualBackendsAreThereAndOthersAreRefusedWithAReason() {
        #expect(Set(Self.backends).isSuperset(of: [.epoll, .poll, .select]))
        for backend in EventLoop.Backend.allCases where !backend.isSupported {
            #expect { _ = try EventLoop(backend: backend) } throws: {
                ($0 as? SystemError)?.operation == "make an event loop on \(backend.rawValue)" && ($0 as? SystemError)?.errno == EOPNOTSUPP
            }
        }
    }

    @Test(arguments: backends)
    func timersFireInOrder(_ backend: EventLoop.Backend) throws {
        let loop = try EventLoop(backend: backend)
        var fired: [String] = []
        loop.after(.milliseconds(20)) { fired.append("second"); loop.stop() }
        loop.after(.milliseconds(5)) { fired.append("first") }
        let cancelled = loop.after(.milliseconds(1)) { fired.append("never") }
        cancelled.cancel()
        loop.run()
        #expect(fired == ["first", "second"])
        #expect(loop.backend == backend)
        loop.close()
    }

    @Test func aRepeatingTimerRepeatsUntilItIsCancelled() throws {
        let loop = try EventLoop()
        var count = 0
        var timer: Watcher?
        timer = loop.every(.milliseconds(1)) {
            count += 1
            if count == 5 {
                timer?.cancel()
                loop.after(.milliseconds(10)) { loop.stop() }
            }
        }
        loop.run()
        #expect(count == 5)
        loop.close()
    }

    @Test func descriptorsAreWatchedForInputAndRoom() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        var pair: [CInt] = [0, 0]
        #expect(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &pair) == 0)
        defer { pair.forEach { close($0) } }
        var events: [String] = []
        var writable: Watcher?
        let readable = loop.onReadable(pair[1]) {
            var byte: UInt8 = 0
            #expect(read(pair[1], &byte, 1) == 1)
            events.append("read \(byte)")
            loop.stop()
        }
        writable = loop.onWritable(pair[0]) {
            events.append("writable")
            var byte: UInt8 = 7
            write(pair[0], &byte, 1)
            writable?.cancel()
        }
        loop.run()
        #expect(events == ["writable", "read 7"])
        readable.cancel()
    }

    @Test func aSignalBelongsToOneLoopAtATime() throws {
        let first = try EventLoop()
        let second = try EventLoop()
        var seen = 0
        let watcher = try first.on(.user2) {
            seen += 1
            first.stop()
        }
        #expect(throws: SystemError.self) { try second.on(.user2) {} }
        kill(getpid(), SIGUSR2)
        first.run()
        #expect(seen == 1)
        watcher.cancel()
        try second.on(.user2) {}.cancel()
        first.close()
        second.close()
    }

    @Test func otherThreadsSubmitAndWhatWasAcceptedRuns() throws {
        let loop = try EventLoop()
        let handle = loop.handle
        let ran = Mutex(0)
        let threads = 4
        let each = 1_000
        for _ in 0..<threads {
            pthreadRun {
                for _ in 0..<each {
                    try? handle.submit { loop in
                        let total = ran.withLock { $0 += 1; return $0 }
                        if total == threads * each { loop.stop() }
                    }
                }
            }
        }
        loop.run()
        #expect(ran.withLock { $0 } == threads * each)
        #expect(throws: EventLoopStopped.self) { try handle.submit { _ in } }
    }

    @Test func aLoopRunsAgainAfterItStopped() throws {
        let loop = try EventLoop()
        for round in 1...3 {
            var ran = 0
            loop.after(.milliseconds(1)) {
                ran = round
                loop.stop()
            }
            loop.run()
            #expect(ran == round)
        }
        // A stop that comes first is not lost.
        loop.stop()
        loop.run()
        loop.close()
    }

    @Test func aHandleOutlivesItsLoop() throws {
        var loop: EventLoop? = try EventLoop()
        let handle = try #require(loop?.handle)
        loop = nil
        #expect(throws: EventLoopStopped.self) { try handle.submit { _ in } }
        handle.stop()
    }

    @Test func loopsLeaveNoDescriptorBehind() throws {
        func open() throws -> Int { try Set(descriptors()).count }
        _ = try EventLoop()
        let before = try open()
        for _ in 0..<200 {
            let loop = try EventLoop()
            try loop.listen(on: "127.0.0.1:0") { EchoHandler() }
            loop.after(.zero) { loop.stop() }
            loop.run()
            loop.close()
        }
        // Other tests run at the same time, and open many: a leak would leave three for each.
        #expect(try open() < before + 400)
    }

    @Test func blockingWorkRunsElsewhereAndItsResultComesBack() throws {
        let loop = try EventLoop()
        var results: [Int] = []
        for value in 0..<20 {
            loop.offload({ () -> Int in
                if value == 13 { throw EventLoopStopped() }
                return value
            }) { result in
                results.append((try? result.get()) ?? -1)
                if results.count == 20 { loop.stop() }
            }
        }
        loop.run()
        #expect(Set(results) == Set((0..<20).map { $0 == 13 ? -1 : $0 }))
        loop.close()
    }

    @Test func severalLoopsRunAtOnce() throws {
        let done = Mutex<[Int]>([])
        let handles = try (0..<3).map { index in
            let started = DispatchlessGate<EventLoopHandle>()
            pthreadRun {
                guard let loop = try? EventLoop() else { return }
                started.open(loop.handle)
                loop.run()
                done.withLock { $0.append(index) }
                loop.close()
            }
            return try #require(started.wait())
        }
        for handle in handles { handle.stop() }
        for _ in 0..<500 where done.withLock({ $0.count }) < 3 { usleep(10_000) }
        #expect(Set(done.withLock { $0 }) == [0, 1, 2])
    }
}

struct EchoHandler: ConnectionHandler {
    mutating func received(_ bytes: RawSpan, on connection: inout Connection) -> Int {
        connection.write(bytes)
        return bytes.byteCount
    }
}

func descriptors() throws -> [String] {
    guard let directory = opendir("/proc/self/fd") else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        names.append(withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    return names
}

/// Hands one value from one thread to another.
final class DispatchlessGate<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    func open(_ value: Value) { self.value.withLock { $0 = value } }
    func wait() -> Value? {
        for _ in 0..<1_000 {
            if let value = value.withLock({ $0 }) { return value }
            usleep(5_000)
        }
        return nil
    }
}

func pthreadRun(_ body: @escaping @Sendable () -> Void) {
    try? startThread(body)
}
