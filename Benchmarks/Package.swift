// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that what is compared with swift-reactor never becomes a dependency of its users. It doesn't
// depend on swift-reactor either: every subject is a separate process, measured from outside, ours like the others.

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let openssl: [LinkerSetting] = [.linkedLibrary("ssl"), .linkedLibrary("crypto")]

let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    ],
    targets: [
        .executableTarget(name: "floor", linkerSettings: [.linkedLibrary("ev")]),
        .executableTarget(name: "load", linkerSettings: openssl + [.linkedLibrary("m")]),
        .target(name: "CBenchSystem", linkerSettings: openssl),
        .target(name: "BenchmarkHarness", dependencies: ["CBenchSystem"], swiftSettings: settings),
        .target(
            name: "BenchmarkReport", dependencies: ["BenchmarkHarness"], resources: [.copy("plots.py"), .copy("report.css")],
            swiftSettings: settings),
        .executableTarget(
            name: "bench",
            dependencies: [
                "BenchmarkHarness", "BenchmarkReport", "CBenchSystem",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            resources: [.copy("pipelined.lua")],
            swiftSettings: settings
        ),
        .testTarget(
            name: "BenchmarkReportTests", dependencies: ["BenchmarkReport"], exclude: ["sample.py"], swiftSettings: settings),
        .testTarget(
            name: "BenchmarkHarnessTests", dependencies: ["BenchmarkHarness", "CBenchSystem"], swiftSettings: settings),
    ]
)
