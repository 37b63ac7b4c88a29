import ReactorTesting
import ReactorWire
import Testing

@Suite struct ByteQueueTests {
    @Test func bytesComeOutInTheOrderTheyWentIn() {
        var queue = ByteQueue()
        queue.append("GET ")
        queue.append(String("/päth"))
        queue.append([0x20, 0x21])
        queue.append(UInt8(ascii: "x"))
        #expect(queue.bytes.text == "GET /päth !x")
        queue.removeFirst(4)
        #expect(queue.bytes.text == "/päth !x")
        #expect(queue.count == 9)
    }

    @Test(arguments: [0, 7, 10, 99, 100, -5, Int.max, Int.min])
    func numbersAreWrittenInDecimal(_ value: Int) {
        var queue = ByteQueue()
        queue.append(decimal: value)
        #expect(queue.bytes.text == String(value))
    }

    @Test func anEmptyQueueLendsNoBytesAndHoldsNoStorage() {
        var queue = ByteQueue()
        #expect(queue.bytes.byteCount == 0)
        queue.append("x")
        queue.removeAll()
        #expect(queue.bytes.byteCount == 0)
    }

    /// Against a plain array, through many appends and removals of random sizes.
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func behavesAsAnArrayDoes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var queue = ByteQueue()
        var model: [UInt8] = []
        for _ in 0..<2_000 {
            if Bool.random(using: &random) || model.isEmpty {
                let chunk = (0..<Int.random(in: 0...700, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
                queue.append(chunk)
                model += chunk
            } else {
                let count = Int.random(in: 0...model.count, using: &random)
                queue.removeFirst(count)
                model.removeFirst(count)
            }
            #expect(queue.count == model.count)
        }
        #expect(queue.bytes.array == model, "seed \(seed)")
    }
}
