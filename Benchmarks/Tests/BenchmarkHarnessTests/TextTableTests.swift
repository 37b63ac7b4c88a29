import Testing

@testable import BenchmarkHarness

@Suite struct TextTableTests {
    @Test func columnsAreAsWideAsTheirWidestCell() {
        var table = TextTable(["name", "n", "latency"])
        table.add(["a", "12345", "1 µs"])
        table.add(["longer", "1"])
        table.addSection("a section, however long")
        table.add("c", message: "failed: it died")
        #expect(
            table.rendered() == """
                name        n  latency
                ──────  ─────  ───────
                a       12345     1 µs
                longer      1

                a section, however long
                c       failed: it died
                """)
    }

    @Test func aLongMessageDoesNotWidenColumns() {
        var table = TextTable(["a", "b"])
        table.add("x", message: String(repeating: "m", count: 50))
        #expect(table.rendered().hasPrefix("a  b\n─  ─\n"))
    }

    @Test(arguments: [
        (0.0, "0 B"), (-1536, "-1.5 KiB"), (1023, "1023 B"), (1024, "1.0 KiB"), (12.5 * 1024 * 1024, "12.5 MiB"),
    ])
    func bytes(value: Double, text: String) {
        #expect(Format.bytes(value) == text)
    }

    @Test(arguments: [(85.0, "85 µs"), (1240, "1.24 ms"), (2_500_000, "2.50 s")])
    func times(value: Double, text: String) {
        #expect(Format.microseconds(value) == text)
    }

    @Test func counts() { #expect(Format.count(1_234_567.8) == "1,234,568") }
}
