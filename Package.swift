// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    // `Span` properties and ~Escapable request views need lifetime annotations. SwiftNIO enables the same flag.
    .enableExperimentalFeature("Lifetimes"),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
    name: "swift-reactor",
    products: [
        .library(name: "ReactorWire", targets: ["ReactorWire"]),
        .library(name: "ConnectionHandling", targets: ["ConnectionHandling"]),
        .library(name: "Reactor", targets: ["Reactor"]),
        .library(name: "ServerArchitectures", targets: ["ServerArchitectures"]),
        .library(name: "ReactorTLS", targets: ["ReactorTLS"]),
        .library(name: "ReactorProxyProtocol", targets: ["ReactorProxyProtocol"]),
        .library(name: "ReactorHTTP", targets: ["ReactorHTTP"]),
        .library(name: "ReactorWeb", targets: ["ReactorWeb"]),
        .library(name: "ReactorContentCodings", targets: ["ReactorContentCodings"]),
        .library(name: "ReactorSMTP", targets: ["ReactorSMTP"]),
        .library(name: "ReactorMailQueue", targets: ["ReactorMailQueue"]),
        .library(name: "ReactorMailRelay", targets: ["ReactorMailRelay"]),
        .library(name: "ReactorMailClient", targets: ["ReactorMailClient"]),
        .library(name: "ReactorRPC", targets: ["ReactorRPC"]),
        .library(name: "ReactorDNS", targets: ["ReactorDNS"]),
        .library(name: "ReactorNames", targets: ["ReactorNames"]),
        .library(name: "ReactorTesting", targets: ["ReactorTesting"]),
        .library(name: "ReactorLoad", targets: ["ReactorLoad"]),
        .executable(name: "reactor", targets: ["reactor"]),
        // For Benchmarks/Micro alone, which is a package of its own.
        .library(name: "MeasuredWork", targets: ["MeasuredWork"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibev", providers: [.apt(["libev-dev"]), .brew(["libev"])]),
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .systemLibrary(name: "CIDN2", providers: [.apt(["libidn2-dev"]), .brew(["libidn2"])]),
        .systemLibrary(name: "CCAres", providers: [.apt(["libc-ares-dev"]), .brew(["c-ares"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .systemLibrary(name: "CBrotli", providers: [.apt(["libbrotli-dev"]), .brew(["brotli"])]),
        .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
        .target(name: "CReactorSystem"),
        .target(name: "CReactorTLS", dependencies: ["COpenSSL"]),

        module("ReactorWire"),
        module("ConnectionHandling", ["ReactorWire"]),
        module("ReactorTesting", ["ConnectionHandling", "ReactorWire"]),

        module("Reactor", [
            "ConnectionHandling", "ReactorWire", "CLibev", "CReactorSystem",
            .product(name: "DequeModule", package: "swift-collections"),
            .product(name: "HeapModule", package: "swift-collections"),
        ]),
        module("ServerArchitectures", ["Reactor", "ConnectionHandling", "ReactorWire", "CReactorSystem"]),

        module("ReactorTLS", ["ConnectionHandling", "ReactorWire", "COpenSSL", "CReactorTLS"]),
        module("ReactorProxyProtocol", ["ConnectionHandling", "ReactorWire"]),
        module("ReactorHTTP", [
            "ConnectionHandling", "ReactorWire", .product(name: "HTTPTypes", package: "swift-http-types"),
        ]),
        module("ReactorContentCodings", ["ReactorWire", "CZlib", "CBrotli", "CZstd"]),
        module("ReactorWeb", [
            "ReactorHTTP", "ReactorContentCodings", "ConnectionHandling", "ReactorWire", "COpenSSL", "CReactorSystem",
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "Logging", package: "swift-log"),
        ]),
        module("ReactorSampleSite", [
            "ReactorWeb", "ReactorHTTP", "ConnectionHandling", "ReactorWire",
            .product(name: "HTTPTypes", package: "swift-http-types"),
        ]),
        module("ReactorRPC", ["ReactorHTTP", "ConnectionHandling", "ReactorWire"]),
        module("ReactorSMTP", [
            "ConnectionHandling", "ReactorWire", "COpenSSL",
            .product(name: "Logging", package: "swift-log"),
        ]),

        module("ReactorMailQueue", [
            "ReactorSMTP", "ConnectionHandling", "ReactorWire", "CSQLite", "CReactorSystem",
            .product(name: "Logging", package: "swift-log"),
        ]),
        module("ReactorMailRelay", [
            "ReactorSMTP", "Reactor", "ReactorNames", "ReactorDNS", "ReactorTLS", "ConnectionHandling", "ReactorWire",
            .product(name: "Logging", package: "swift-log"),
        ]),
        module("ReactorMailClient", [
            "ReactorSMTP", "Reactor", "ServerArchitectures", "ReactorNames", "ReactorTLS", "ConnectionHandling", "ReactorWire",
        ]),

        module("ReactorDNS", ["ConnectionHandling", "ReactorWire"]),
        module("ReactorNames", [
            "Reactor", "ServerArchitectures", "ConnectionHandling", "ReactorWire", "ReactorDNS", "CCAres", "CIDN2",
            "CReactorSystem",
            .product(name: "DequeModule", package: "swift-collections"),
        ]),

        module("ReactorLoad", [
            "Reactor", "ReactorTLS", "ReactorNames", "ReactorDNS", "ConnectionHandling", "ReactorWire", "CReactorSystem",
            .product(name: "Histogram", package: "hdrhistogram-swift"),
        ]),

        .executableTarget(
            name: "reactor",
            dependencies: [
                "Reactor", "ServerArchitectures", "ConnectionHandling", "ReactorHTTP", "ReactorWeb", "ReactorContentCodings", "ReactorSampleSite",
                "ReactorSMTP", "ReactorMailQueue", "ReactorMailRelay", "ReactorMailClient", "ReactorRPC",
                "ReactorProxyProtocol", "ReactorTLS", "ReactorWire", "ReactorDNS", "ReactorNames", "ReactorLoad",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),

        .target(
            name: "TestSupport",
            dependencies: ["Reactor", "ConnectionHandling", "ReactorDNS", "ReactorTesting", "ReactorWire"],
            path: "Tests/TestSupport",
            swiftSettings: settings),
        .executableTarget(
            name: "contract-server",
            dependencies: ["ServerArchitectures", "Reactor", "ConnectionHandling", "ReactorWire", "TestSupport"],
            path: "Tests/ContractServer", swiftSettings: settings),
        // Async handlers in a process that may fork: one of tests has threads.
        .executableTarget(
            name: "async-server", dependencies: ["ReactorWeb", "ReactorHTTP", "ServerArchitectures", "Reactor", "ConnectionHandling"],
            path: "Tests/AsyncServer", swiftSettings: settings),
        // Counts what its own process allocates, which a process of tests could not tell apart.
        .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
        .executableTarget(
            name: "allocation-probe",
            dependencies: ["AllocationCounter", "Reactor", "ReactorHTTP", "ConnectionHandling", "ReactorWire"],
            path: "Tests/AllocationProbe", swiftSettings: settings),
        // What the benchmarks measure of the resolver: they depend on none of this, and run it as a program.
        .executableTarget(
            name: "lookup-load", dependencies: ["ReactorNames", "ReactorDNS", "Reactor", "ConnectionHandling"],
            path: "Tests/LookupLoad", swiftSettings: settings),
        // The queue of mail alone: for its tests, which kill it, and for the benchmarks.
        .executableTarget(
            name: "queue-load", dependencies: ["ReactorMailQueue", "ReactorSMTP"], path: "Tests/QueueLoad",
            swiftSettings: settings),
        // What the benchmarks, and libFuzzer, have of the HTTP parser alone.
        .executableTarget(
            name: "parser-load", dependencies: ["ReactorHTTP", "ReactorWire"], path: "Tests/ParserLoad", exclude: ["Requests"],
            swiftSettings: settings),
        // What is measured a piece at a time: counted by instruction-counts, timed by Benchmarks/Micro.
        .target(
            name: "MeasuredWork",
            dependencies: [
                "AllocationCounter", "ReactorWeb", "ReactorHTTP", "ReactorSMTP", "Reactor", "ConnectionHandling", "ReactorWire",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/MeasuredWork", swiftSettings: settings),
        .target(name: "InstructionCounting", path: "Tests/InstructionCounts/Counting", swiftSettings: settings),
        .executableTarget(
            name: "instruction-counts", dependencies: ["InstructionCounting", "MeasuredWork"], path: "Tests/InstructionCounts/Program",
            swiftSettings: settings),
        tests("InstructionCountsTests", ["InstructionCounting", "instruction-counts", "TestSupport"]),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "ReactorHTTP", "ReactorWeb", "ReactorSMTP", "ReactorTesting", "ReactorWire", "ConnectionHandling",
                .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Fuzzing/Targets", swiftSettings: settings),
        .executableTarget(
            name: "fuzz", dependencies: ["FuzzTargets", "ReactorWire"], path: "Tests/Fuzzing/Runner",
            swiftSettings: settings),
        tests("FuzzingTests", ["FuzzTargets", "ReactorWire"]),
        tests("ReactorWireTests", ["ReactorWire", "ReactorTesting"]),
        tests("ConnectionHandlingTests", ["ConnectionHandling", "ReactorTesting", "ReactorWire", "TestSupport"]),
        tests("TidyTests", []),
        // ServerArchitectures, ReactorNames: compiled against, by tests of what must not compile and of documents.
        tests("ReactorTests", [
            "Reactor", "ConnectionHandling", "ReactorTesting", "ServerArchitectures", "ReactorNames", "ReactorTLS", "ReactorWeb",
            "ReactorRPC", "ReactorMailQueue", "ReactorMailRelay", "ReactorMailClient", "ReactorLoad", "TestSupport",
        ]),
        tests("ServerArchitecturesTests", [
            "ServerArchitectures", "Reactor", "ConnectionHandling", "CReactorSystem", "TestSupport", "contract-server",
        ]),
        tests("ReactorTLSTests", ["ReactorTLS", "ConnectionHandling", "ReactorTesting", "ReactorWire", "COpenSSL"]),
        tests("ReactorProxyProtocolTests", [
            "ReactorProxyProtocol", "ConnectionHandling", "ReactorTesting", "ReactorWire",
        ]),
        .target(
            name: "HTTPTestSupport", dependencies: ["ConnectionHandling", "ReactorTesting"], path: "Tests/HTTPTestSupport",
            swiftSettings: settings),
        tests("ReactorHTTPTests", [
            "ReactorHTTP", "ConnectionHandling", "ReactorTesting", "ReactorWire", "HTTPTestSupport", "TestSupport",
            "allocation-probe",
            .product(name: "HTTPTypes", package: "swift-http-types"),
        ]),
        tests("ReactorContentCodingsTests", ["ReactorContentCodings", "ReactorWire", "ReactorTesting"]),
        tests("ReactorWebTests", [
            "async-server", "ReactorWeb", "ReactorHTTP", "ReactorContentCodings", "Reactor", "ServerArchitectures", "ConnectionHandling",
            "ReactorTesting", "ReactorWire", "HTTPTestSupport", "TestSupport",
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "Logging", package: "swift-log"),
        ]),
        tests("ReactorSampleSiteTests", [
            "ReactorSampleSite", "ReactorWeb", "ReactorHTTP", "ConnectionHandling", "ReactorTesting", "ReactorWire", "HTTPTestSupport",
            "TestSupport",
        ]),
        tests("ReactorRPCTests", ["ReactorRPC", "ReactorHTTP", "ReactorTesting"]),
        tests("ReactorLoadTests", [
            "ReactorLoad", "Reactor", "ReactorTLS", "ReactorHTTP", "ReactorRPC", "ReactorSMTP", "ConnectionHandling", "ReactorTesting",
            "ReactorWire", "TestSupport", "MailTestSupport",
        ]),
        tests("ReactorDNSTests", ["ReactorDNS", "ConnectionHandling", "ReactorTesting", "ReactorWire"]),
        tests("ReactorNamesTests", [
            "ReactorNames", "ReactorDNS", "Reactor", "ServerArchitectures", "ConnectionHandling", "ReactorTesting", "ReactorWire",
            "TestSupport",
        ]),
        .target(
            name: "MailTestSupport",
            dependencies: ["ReactorSMTP", "ReactorTesting", .product(name: "Logging", package: "swift-log")],
            path: "Tests/MailTestSupport", swiftSettings: settings),
        tests("ReactorMailQueueTests", [
            "ReactorMailQueue", "ReactorSMTP", "ConnectionHandling", "ReactorTesting", "ReactorWire", "TestSupport", "MailTestSupport", "CSQLite",
            "CReactorSystem", "queue-load",
        ]),
        tests("ReactorMailRelayTests", [
            "ReactorMailRelay", "ReactorSMTP", "Reactor", "ReactorNames", "ReactorDNS", "ReactorTLS", "ConnectionHandling",
            "ReactorTesting", "ReactorWire", "TestSupport", "MailTestSupport",
            .product(name: "Logging", package: "swift-log"),
        ]),
        tests("ReactorSMTPClientTests", [
            "ReactorSMTP", "Reactor", "ConnectionHandling", "ReactorTesting", "ReactorWire", "TestSupport", "MailTestSupport",
            .product(name: "Logging", package: "swift-log"),
        ]),
        tests("ReactorMailClientTests", [
            "ReactorMailClient", "ReactorSMTP", "ReactorNames", "ReactorTLS", "Reactor", "ServerArchitectures", "ConnectionHandling",
            "ReactorTesting", "ReactorWire", "TestSupport", "MailTestSupport",
        ]),
        tests("ReactorSMTPTests", [
            "ReactorSMTP", "Reactor", "ConnectionHandling", "ReactorTesting", "ReactorWire", "TestSupport", "MailTestSupport",
            .product(name: "Logging", package: "swift-log"),
        ]),
        .testTarget(
            name: "Interop",
            dependencies: [
                "reactor", "TestSupport", "ConnectionHandling", "Reactor", "ReactorDNS", "ReactorNames", "ReactorSMTP", "ReactorMailQueue",
                "ReactorMailRelay",
                "ReactorTesting", "ReactorTLS", "ReactorWire", "ServerArchitectures",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Interop", swiftSettings: settings),
    ]
)
