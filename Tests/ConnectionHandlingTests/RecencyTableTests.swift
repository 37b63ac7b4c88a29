import ReactorTesting
import Testing

@testable import ConnectionHandling

@Suite struct RecencyTableTests {
    @Test func theLeastRecentlyUsedGoes() {
        var table = RecencyTable<String, Int>(capacity: 2)
        #expect(table.set("a", 1) == nil)
        #expect(table.set("b", 2) == nil)
        table.set("a", 3)
        let evicted = table.set("c", 4)
        #expect(evicted?.key == "b" && evicted?.value == 2)
        #expect(table.peek("a") == 3 && table.peek("b") == nil && table.peek("c") == 4)
        #expect(table.oldest?.key == "a")
    }

    /// Against a model that keeps its entries in a plain array.
    @Test func asAModel() {
        var generator = SeededGenerator(seed: 21)
        var table = RecencyTable<Int, Int>(capacity: 5)
        var model: [(key: Int, value: Int)] = []
        for step in 0..<5_000 {
            let key = Int.random(in: 0..<9, using: &generator)
            if Int.random(in: 0..<3, using: &generator) == 0 {
                #expect(table.remove(key) == model.first { $0.key == key }?.value)
                model.removeAll { $0.key == key }
            } else {
                model.removeAll { $0.key == key }
                let evicted = table.set(key, step)
                let expected = model.count == 5 ? model.removeFirst() : nil
                #expect(evicted?.key == expected?.key)
                model.append((key, step))
            }
            #expect(table.count == model.count)
            #expect(table.oldest?.key == model.first?.key)
            for entry in model { #expect(table.peek(entry.key) == entry.value) }
        }
    }
}
