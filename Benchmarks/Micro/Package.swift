// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that neither the tests nor whoever uses the library builds what it depends on. Unlike the other
// benchmarks it depends on swift-reactor: it times pieces of it, inside one process.
let package = Package(
    name: "micro",
    dependencies: [
        .package(name: "swift-reactor", path: "../.."),
        // Without its traits it needs no interposers. Its own counts of malloc(3) are zero then; ours are what is looked at.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        // The plugin takes for benchmarks what lies in a folder called Benchmarks: this package does.
        .executableTarget(
            name: "Micro",
            dependencies: [
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "MeasuredWork", package: "swift-reactor"),
                .product(name: "Reactor", package: "swift-reactor"),
            ],
            path: ".", exclude: ["Thresholds"], sources: ["Sources"],
            swiftSettings: [.swiftLanguageMode(.v6)],
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ]
)
