// swift-tools-version:6.2
import PackageDescription

// Every module is one target. docs/architecture.md says what each may import, and Tests/ArchitectureTests fails when one imports more.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = [], compiledIn: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: compiledIn.map { .embedInCode($0) }, swiftSettings: strict)
}

func tests(of name: String, _ dependencies: [Target.Dependency] = [], data: [String] = []) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: [.target(name: name), "TestSupport"] + dependencies,
        exclude: data,
        swiftSettings: strict
    )
}

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTLS = Target.Dependency.product(name: "HummingbirdTLS", package: "hummingbird")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let grdbSQLite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioExtras = Target.Dependency.product(name: "NIOExtras", package: "swift-nio-extras")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")

/// What is built for a sanitizer, in a package of its own that has neither the HTTP server nor the database in it: all of those would be
/// built anew. RANGEFINDER_SANITIZED_MODULES says which: `thread` for the tests of everything that a probe goes through, `address` for the
/// fuzzer and everything that reads an answer.
let probeModules: Set = [
    "CCurl", "CHandshake", "CReceive", "CZlib", "Curl", "Health", "LockOrder", "Probing", "CPCRE2", "TestSupport",
]
let sanitizedModules: Set<String>? =
    switch Context.environment["RANGEFINDER_SANITIZED_MODULES"] {
    case nil: nil
    case "address": probeModules.union(["COpenSSL", "Digests", "TargetsAPI", "Alerting", "Daemon", "Fuzzing", "FuzzHTTP"])
    default: probeModules.union(["Scheduling", "HostileTargets"])
    }

let package = Package(
    name: "rangefinder",
    products: [
        .executable(name: "rangefinder", targets: ["rangefinder"]),
        // For a test that preloads it; no part of the program.
        .library(name: "PowerFailure", type: .dynamic, targets: ["PowerFailure"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: ["FullFoundation"]),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev", "libssl-dev", "libc-ares-dev"])]),
        .target(name: "CReceive"),
        .target(name: "CHandshake"),
        .target(name: "CProcess"),
        module("Curl", ["CCurl", "CHandshake", "CReceive", "CZlib", heap, deque]),
        module("Health"),
        module("LockOrder"),
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        module("Probing", ["Health", "Curl", "CPCRE2"]),
        module("Scheduling", ["Health", "LockOrder", heap, deque]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        module("Digests", ["COpenSSL"]),
        module("TargetsAPI", ["Digests", "Health"]),
        module(
            "TargetsServer",
            [
                "ConnectionLimits", "DatabaseFiles", "Digests", "Health", "TargetsAPI", hummingbird, hummingbirdCore, httpTypes,
                nioCore,
                lifecycle, logging, grdb,
            ]),
        module("DatabaseFiles", [grdb, grdbSQLite]),
        module("History", ["DatabaseFiles", "Health", "LockOrder", grdb, grdbSQLite, deque]),
        module("Exposition", ["Health", "LockOrder"]),
        module("Pages", ["Health", mustache], compiledIn: ["Assets", "Templates"]),
        module("Alerting", ["Digests", "Health", "LockOrder", deque]),
        module("ConnectionLimits", ["Health", nioCore, nioHTTP1, nioHTTPTypes, httpTypes]),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CCrypt", pkgConfig: "libcrypt", providers: [.apt(["libcrypt-dev"])]),
        module(
            "Web",
            [
                "Health", "ConnectionLimits", "Digests", "Exposition", "Pages", "CZlib", "CCrypt", hummingbird, hummingbirdCore,
                nioCore,
                nioPosix, nioExtras, nioHTTPTypes, nioSSL, httpTypes, lifecycle, logging,
            ]),
        module("Settings", ["Health", yams]),
        module("Terminal", ["Health"]),
        module("SampleTargets", ["COpenSSL", hummingbird, hummingbirdCore, hummingbirdTLS, nioSSL, nioCore, logging]),
        module(
            "Daemon",
            [
                "CMalloc",
                "Health", "LockOrder", "Curl", "Probing", "Scheduling", "TargetsAPI", "TargetsServer", "History", "Exposition",
                "Pages", "Alerting", "ConnectionLimits", "Web", "Settings", lifecycle, unixSignals, logging,
            ]),
        .executableTarget(
            name: "rangefinder",
            dependencies: [
                "ConnectionLimits", "DatabaseFiles", "Health", "Curl", "Probing", "TargetsAPI", "TargetsServer", "History",
                "Pages", "Settings",
                "Terminal",
                "SampleTargets", "Alerting", "CProcess", "Daemon", arguments, lifecycle, unixSignals, logging,
            ],
            swiftSettings: strict),

        // What the tests of several modules share.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        // What a power failure leaves of a database, for the tests of the command.
        .target(name: "PowerFailure", path: "Tests/PowerFailure"),
        // Hostile targets, for the tests of Probing and for a benchmark.
        .target(
            name: "HostileTargets", dependencies: ["Health", "TestSupport", "CZlib"], path: "Tests/HostileTargets",
            swiftSettings: strict),
        .executableTarget(
            name: "HostileBenchmark", dependencies: ["Curl", "Health", "Probing", "HostileTargets"],
            path: "Benchmarks/HostileTargets",
            swiftSettings: strict),
        // Hostile answers from a grammar, through every way in; scripts/fuzz runs it.
        .target(
            name: "Fuzzing", dependencies: ["Alerting", "Curl", "Daemon", "Health", "Probing", "TargetsAPI", "TestSupport"],
            path: "Tests/Fuzzing", swiftSettings: strict),
        .executableTarget(name: "FuzzHTTP", dependencies: ["Fuzzing"], path: "Tests/FuzzHTTP", swiftSettings: strict),
        .executableTarget(
            name: "HistoryBenchmark", dependencies: ["Health", "History"], path: "Benchmarks/History", swiftSettings: strict),
        tests(of: "Curl", ["CCurl", "CHandshake", "CReceive"]),
        tests(of: "Health"),
        tests(of: "LockOrder"),
        tests(of: "Digests"),
        tests(of: "ConnectionLimits", [nioCore, nioEmbedded, nioPosix, nioHTTP1, nioHTTPTypes, httpTypes]),
        tests(of: "Probing", ["Health", "Curl", "Scheduling", "HostileTargets"]),
        tests(of: "Scheduling", ["Health"]),
        tests(of: "TargetsAPI", ["Health"]),
        tests(of: "TargetsServer", ["DatabaseFiles", "Health", "TargetsAPI", grdb, lifecycle, logging]),
        tests(of: "DatabaseFiles", [grdb]),
        tests(of: "History", ["DatabaseFiles", "Health", grdb]),
        tests(of: "Pages", ["Health"]),
        tests(of: "Exposition", ["Health"], data: ["Golden"]),
        tests(of: "Alerting", ["Digests", "Health"]),
        tests(
            of: "Web",
            [
                "Health", "ConnectionLimits", "Exposition", "Pages", "Curl", nioCore, nioEmbedded, nioHTTPTypes, httpTypes,
                lifecycle,
                logging,
            ]),
        tests(of: "Settings", ["Health"], data: ["Bad"]),
        tests(of: "Terminal", ["Health"]),
        tests(of: "SampleTargets", ["Curl"]),
        tests(
            of: "Daemon",
            [
                "Health", "Curl", "Probing", "Scheduling", "TargetsAPI", "TargetsServer", "History", "Exposition", "Pages",
                "Alerting", "Web", "Settings", "SampleTargets", "Fuzzing", logging, nioCore,
            ],
            data: ["Fixtures"]),
        // The package in a booted Debian.
        .testTarget(name: "ServiceTests", dependencies: ["TestSupport"], swiftSettings: strict),
        .testTarget(name: "ArchitectureTests", dependencies: ["TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "CommandTests", dependencies: ["Curl", "Health", "History", "TestSupport"], exclude: ["Pages/Browser"],
            swiftSettings: strict),
    ]
)

if let sanitizedModules {
    package.products = []
    package.targets.removeAll { target in
        let module = target.isTest ? String(target.name.dropLast("Tests".count)) : target.name
        return !sanitizedModules.contains(module) || target.isTest && sanitizedModules.contains("Fuzzing")
    }
    // Of the module that knows all others what carries requests, and nothing else.
    if let daemon = package.targets.first(where: { $0.name == "Daemon" }) {
        daemon.sources = ["Sync/CurlTransport.swift", "Alerts/AlertTransport.swift", "System/WallClock.swift"]
        daemon.dependencies = ["Curl", "Health", "TargetsAPI", "Alerting"]
    }
    package.dependencies.removeAll { dependency in
        guard case .sourceControl(_, let location, _) = dependency.kind else { return true }
        return !location.hasSuffix("/swift-collections")
    }
}
