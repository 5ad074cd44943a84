import Foundation
import Testing

/// What takes minutes, one after the other: each would be the other's load.
@Suite(
    .serialized,
    .enabled(if: ProcessInfo.processInfo.environment["RANGEFINDER_LONG"] != nil, "scripts/test --long runs it"),
    .timeLimit(.minutes(15)))
enum LongRuns {}
